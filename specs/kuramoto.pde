# Noisy Kuramoto oscillators above the synchronisation threshold: a nonlocal flow on the circle.
param   β = 1, κ = 4
domain  Θ(θ) = torus(2*π), I(t) = [0, 3]
unknown p : P(Θ) over I

E(p) := 1/β * ∫ p*ln(p) dθ - κ/2 * ∬ cos(θ - φ)*p(θ)*p(φ) dθ dφ
r(p) := sqrt((∫ cos(θ)*p dθ)² + (∫ sin(θ)*p dθ)²)

flow:  ∂t p = -grad(E, p; metric=W2)  on Θ × I
start: p = 1/(2*π) * (1 + 1/5*cos(θ)) on Θ × {0}

solve flow, start using grid(cells=256)
report r(p)(0.5) ~ 0.1634752348 within 1e-3, r(p)(1) ~ 0.2617002357 within 1e-3
report r(p)(2) ~ 0.5633355111 within 1e-3, r(p)(3) ~ 0.7797502820 within 1e-3
