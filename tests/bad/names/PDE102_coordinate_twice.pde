domain X(x) = [0, 1], Y(x) = [0, 2]
unknown u : X -> R
bulk: ∂xx u = 1 on X
ends: u = 0 on ∂X
solve bulk, ends
