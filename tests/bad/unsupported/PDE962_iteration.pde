domain Ω(x, y) = [0, 1]^2
unknown u : Ω -> R
bulk: -Δu = 1 on Ω
wall: u = 0 on ∂Ω
solve bulk, wall using collocation(points=100) with kfac(steps=100)
