# A committor has a variational form only where the drift is a gradient.
param   β = 2
domain  X(x) = R^2
domain  A = {x in X : x[1] <= -1}, B = {x in X : x[1] >= 1}, Ω = X \ (A ∪ B)
unknown u : Ω -> [0, 1]

V    := (x[1]² - 1)² + 0.3*x[2]²
ρ    := exp(-β*V)
walk := diffusion(-∇V + (x[2], -x[1]), sqrt(2/β))
E(u) := 1/2 * ∫[x in Ω] |∇u|² * ρ dx

strong: generator(walk)(u) = 0 on Ω
weak:   δE/δu = 0 on Ω
atA:    u = 1 on ∂A
atB:    u = 0 on ∂B
check weak = strong
solve strong, atA, atB using collocation(points=256)
