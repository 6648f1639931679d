domain X(x) = torus(1)
unknown u : X -> R
bulk: ∂xx u = cos(2*π*x) on X
ends: u = 0 on ∂X
solve bulk, ends
