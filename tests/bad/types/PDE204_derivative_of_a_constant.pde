domain Ω(x, y) = [0, 1]^2
unknown u : Ω -> R
param a = 3
bulk: -Δu = Δa on Ω
wall: u = 0 on ∂Ω
solve bulk, wall
