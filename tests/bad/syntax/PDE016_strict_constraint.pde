domain X(x) = [0, 1]
unknown u : X -> R
c: u < 1 on X
bulk: Δu = 1 on X
wall: u = 0 on ∂X
solve bulk, wall
