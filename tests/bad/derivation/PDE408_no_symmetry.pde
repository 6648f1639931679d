# An operator with a drift in it is not symmetric.
domain  X(x) = torus(1), I(t) = [0, 1]
unknown p : P(X) over I
M(p)(φ) := -∇·(p * ∇φ) + ∂x φ
E(p)    := ∫ p² dx
flow:  ∂t p = -grad(E, p; metric=M) on X × I
start: p = 1 + 1/2*cos(2*π*x)       on X × {0}
solve flow, start
