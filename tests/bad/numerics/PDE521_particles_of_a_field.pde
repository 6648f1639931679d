domain  X(x) = torus(2*π), I(t) = [0, 1]
unknown u : X × I -> R
E(u) := ∫ |∇u|²/2 dx
flow:  ∂t u = -grad(E, u; metric=L2) on X × I
start: u = cos(x)                    on X × {0}
solve flow, start using particles(n=100)
