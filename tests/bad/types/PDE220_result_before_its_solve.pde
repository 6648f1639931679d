domain Ω(x, y) = [0, 1]^2
unknown u : Ω -> R
unknown v : Ω -> R
bulk: -Δu = second(v) on Ω
wall: u = 0 on ∂Ω
vbulk: -Δv = 1 on Ω
vwall: v = 0 on ∂Ω
first: solve bulk, wall
second: solve vbulk, vwall
