# Cahn-Hilliard: the same energy in the H⁻¹ metric, which conserves the mean.
param   ε = 0.2
domain  X(x) = torus(2*π), I(t) = [0, 2]
unknown u : X × I -> R

E(u)    := ∫ ε²/2*|∇u|² + 1/4*(u² - 1)² dx
mean(u) := 1/(2*π) * ∫ u dx

flow:  ∂t u = -grad(E, u; metric=Hm1)        on X × I
start: u = 1/10 + 3/10*cos(x) + 1/5*sin(2*x) on X × {0}

solve flow, start
report E(u)(0) ~ 1.371364098 within 1e-5, E(u)(0.5) ~ 0.936529433 within 1e-5, E(u)(1) ~ 0.758285375 within 1e-5, E(u)(2) ~ 0.752498252 within 1e-5, mean(u) ~ 0.1 within 1e-12
