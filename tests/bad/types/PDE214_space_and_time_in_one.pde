domain Q(x, t) = [0, 1]^2
unknown u : Q -> R
bulk: ∂t u = ∂xx u on Q
wall: u = 0 on ∂Q
solve bulk, wall
