// Poisson
domain X(x) = [0, 1]
unknown u : X -> R
bulk: Δu = 1 on X
wall: u = 0 on ∂X
solve bulk, wall
