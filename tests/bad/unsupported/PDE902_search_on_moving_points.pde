domain X(x, y) = disk((0, 0), 1)
unknown u : X -> R
E(u) := ∬ 1/2*|∇u|² - u dx dy
wall: u = 0 on ∂X
solve min[u] E(u), wall using ritz(points=100) with adam(steps=100) then ssbroyden(steps=100)
report E(u) < 0
