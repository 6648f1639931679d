domain X(x) = [0, 1]
unknown u : X -> R
bulk: ∇²u = 1 on X
wall: u = 0 on ∂X
