domain X(x) = R^2, I(t) = [0, 1]
unknown p : P(X) over I
E(p) := ∫ p*ln(p) dx
flow: ∂t p = -grad(E, p; metric=W2) on X × I
solve flow using particles(n=100)
