domain X(x) = R^2, I(t) = [0, 1]
unknown p : P(X) over I
E(p) := ∫ p*ln(p) dx
flow: ∂t p = -grad(E, p; metric=W2) on X × I
start: p = gauss(0, 1) on X × {0}
solve flow, start using particles(n=100) with euler(dt=-1)
