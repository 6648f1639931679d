domain Y(z) = [0, 2]
domain Ω(x, y) = [0, 1]^2
unknown u : Ω -> R
bulk: -Δu = 1 on Y
wall: u = 0 on ∂Ω
solve bulk, wall
