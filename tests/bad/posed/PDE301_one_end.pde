domain X(x) = [0, 1]
unknown u : X -> R
bulk: ∂xx u = 1 on X
left: u = 0 on {0}
solve bulk, left
