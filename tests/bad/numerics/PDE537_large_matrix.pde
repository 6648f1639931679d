domain Ω(x, y) = [0, 1]^2
unknown u : Ω -> R
bulk: -Δu = 1 on Ω
wall: u = 0 on ∂Ω
ansatz u := x*(1 - x)*y*(1 - y) * mlp(x, y; width=200, depth=3)
solve bulk, wall using collocation(points=1000) with ssbroyden(steps=100)
