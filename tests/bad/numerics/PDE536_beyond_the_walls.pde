domain X(x) = [0, 9], I(t) = [0, 1]
unknown p : P(X) over I
E(p) := ∫ x²/2*p dx + ∫ p*ln(p) dx
flow: ∂t p = -grad(E, p; metric=W2) on X × I
start: p = gauss(0, 1) on X × {0}
solve flow, start using grid(cells=200)
report E(p)(1) < 10
