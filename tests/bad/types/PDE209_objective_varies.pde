domain Ω(x, y) = [0, 1]^2
unknown u : Ω -> R
wall: u = 0 on ∂Ω
solve min[u] |∇u|², wall using ritz(points=100)
