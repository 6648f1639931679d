# Allen-Cahn: the L2 gradient flow of the Ginzburg-Landau energy on a circle.
param   ε = 0.2
domain  X(x) = torus(2*π), I(t) = [0, 4]
unknown u : X × I -> R

E(u) := ∫ ε²/2*|∇u|² + 1/4*(u² - 1)² dx

flow:  ∂t u = -grad(E, u; metric=L2) on X × I
start: u = 1/2*cos(x) + 1/5*sin(2*x) on X × {0}

solve flow, start
report E(u)(0) ~ 1.202346413 within 1e-5, E(u)(1) ~ 0.7633947262 within 1e-5, E(u)(2) ~ 0.4976368412 within 1e-5, E(u)(4) ~ 0.3786458348 within 1e-5
