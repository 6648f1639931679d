# Stein variational gradient descent with two particles: they settle at ±a with a² = h²/2·ln(1 + 2/(βh²)), here ln(3)/2.
param   β = 1, h = 1
domain  X(x) = R, I(t) = [0, 40]
unknown p : P(X) over I

E(p)    := 1/β * ∫ p*ln(p) dx + ∫ x²/2 * p dx
K(x, y) := exp(-(x - y)²/(2*h²))
mean(p) := ∫ x*p dx
size(p) := sqrt(∫ x²*p dx)

flow:  ∂t p = -grad(E, p; metric=Stein(K)) on X × I
start: p = points(1.7, -.2)                on X × {0}

solve flow, start using particles(n=2) with rk4(dt=0.05)
report mean(p) ~ 0 within 1e-6, size(p) ~ 0.7411519037 within 1e-6
