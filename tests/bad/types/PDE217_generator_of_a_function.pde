domain X(x) = R^2, I(t) = [0, 1]
unknown p : P(X) over I
flow: ∂t p = generator(|x|²)(p) on X × I
start: p = gauss(0, 1) on X × {0}
solve flow, start
