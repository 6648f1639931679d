domain X(x) = [0, 1]
unknown u : X -> R
E(u) := ∫ 1/2*(∂x u)² - u dx
ends: u = 0 on ∂X
solve min[u] E(u), ends using ritz(points=100, sampler=residual) with adam(steps=100)
report E(u) < 0
