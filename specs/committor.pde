# Committor of an overdamped Langevin process between the wells A and B, strong and variational, and the reaction rate.
param   β = 2, d = 2
domain  X(x) = R^d
domain  A = {x in X : x[1] <= -1}, B = {x in X : x[1] >= 1}, Ω = X \ (A ∪ B)
unknown u : Ω -> [0, 1]

V    := (x[1]² - 1)² + 0.3 * ∑[i in 2..d] x[i]²
ρ    := exp(-β*V)
walk := diffusion(-∇V, sqrt(2/β))                 # drift and noise; its generator is derived
E(u) := 1/2 * ∫[x in Ω] |∇u|² * ρ dx
rate(u) := 2/β * E(u) / ∫[x in X] ρ dx

strong: generator(walk)(u) = 0 on Ω
weak:   δE/δu = 0 on Ω
atA:    u = 1 on ∂A
atB:    u = 0 on ∂B
check weak = strong

ritz: solve min[u] E(u), atA, atB using ritz(points=2048)
pinn: solve strong, atA, atB      using collocation(points=2048)
report pinn(u((-0.5, 0))) ~ 0.8860532 within 1e-2, pinn(u((-0.2, 0))) ~ 0.6930283 within 1e-2, pinn(u((0.3, 0))) ~ 0.2273042 within 1e-2
report ritz(rate(u)) ~ 0.04873974 within 3%, error(ritz(u), pinn(u); measure=ρ) < 2e-2
