domain X(x) = R^2, I(t) = [0, 1]
unknown p : P(X) over I
E(p) := ∫ p*ln(p) dx
flow: ∂t p = -grad(E, p) on X × I
start: p = gauss(0, 1) on X × {0}
solve flow, start
