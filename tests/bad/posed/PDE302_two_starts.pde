param κ = 1/10
domain X(x) = [0, 1], I(t) = [0, 1]
unknown u : X × I -> R
bulk: ∂t u = κ*Δu on X × I
start: u = sin(π*x) on X × {0}
ends: u = 0 on ∂X × I
again: ∂t u = 0 on X × {0}
solve bulk, start, ends, again
