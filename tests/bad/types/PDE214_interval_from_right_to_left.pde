domain X(x) = [1, 0]
unknown u : X -> R
bulk: ∂xx u = 1 on X
ends: u = 0 on ∂X
solve bulk, ends
