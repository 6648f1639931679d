param d = 2.5
domain X(x) = R^d
domain Ω(y, z) = [0, 1]^2
unknown u : Ω -> R
bulk: -Δu = 1 on Ω
wall: u = 0 on ∂Ω
solve bulk, wall
