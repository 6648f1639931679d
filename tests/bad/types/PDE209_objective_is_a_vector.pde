domain Ω(x, y) = [0, 1]^2
unknown u : Ω -> R
wall: u = 0 on ∂Ω
solve min[u] (∬ u dx dy, ∬ u² dx dy), wall using ritz(points=100)
