domain Ω(x, y) = [0, 1]^2
unknown u : Ω -> R
f := ln(2 - 3)
bulk: -Δu = f on Ω
wall: u = 0 on ∂Ω
solve bulk, wall
