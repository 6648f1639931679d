domain X(x) = torus(1), I(t) = [0, 1]
unknown u : X × I -> R
bulk: ∂t u = ∂xxxx u on X × I
start: u = cos(2*π*x) on X × {0}
solve bulk, start
