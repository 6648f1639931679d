domain X(x) = [0, 1]
unknown u : X -> R
E(u) := ∫ 1/2*|∇u|² - (x - 1/2)*u dx
solve min[u] E(u)
