domain X(x) = [0, 1]
unknown u : X -> R
bulk: -∂xx u = 1 on X
ends: u = 0      on ∂X
solve bulk, ends
report error(u) < 1e-6
