# Fokker-Planck in a double well: slow escape from the left well, at the rate of the spectral gap.
param   β = 3
domain  X(x) = R, I(t) = [0, 60]
unknown p : P(X) over I

V       := (x² - 1)²
E(p)    := 1/β * ∫ p*ln(p) dx + ∫ V*p dx
mean(p) := ∫ x*p dx
rate(p) := ln(mean(p)(40)/mean(p)(60))/20       # λ₁ from the last third

flow:  ∂t p = -grad(E, p; metric=W2) on X × I
start: p = gauss(-1, 0.01)           on X × {0}

solve flow, start using grid(cells=256)
report E(p) ~ -0.03800202563 within 1e-4, rate(p) ~ 0.0806198609 within 0.1%
