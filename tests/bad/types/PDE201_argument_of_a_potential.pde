domain X(x) = R^2, I(t) = [0, 1]
unknown p : P(X) over I
V(x) := |x|²
E(p) := ∫ p*ln(p) + V((1, 2, 3))*p dx
flow: ∂t p = -grad(E, p; metric=W2) on X × I
start: p = gauss(0, 1) on X × {0}
solve flow, start
