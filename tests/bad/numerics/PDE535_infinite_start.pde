domain X(x) = R, I(t) = [0, 1]
unknown p : P(X) over I
E(p) := ∫ x²/2*p dx + ∫ p*ln(p) dx
flow: ∂t p = -grad(E, p; metric=W2) on X × I
start: p = exp(x^4) on X × {0}
solve flow, start using grid(box=[-8, 8])
report E(p)(1) < 10
