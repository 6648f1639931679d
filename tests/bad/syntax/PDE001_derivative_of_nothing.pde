domain X(x) = [0, 1]
unknown u : X -> R
bulk: ∂x + u = 1 on X
