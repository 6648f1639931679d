domain  X(x) = R, I(t) = [0, 1]
unknown p : P(X) over I
E(p) := ∫ p² dx
flow:  ∂t p = -grad(E, p; metric=W2) on X × I
start: p = gauss(0, 1)               on X × {0}
solve flow, start using grid(cells=100)
