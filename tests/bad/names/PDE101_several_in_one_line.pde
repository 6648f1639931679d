param κ = 1/10
domain X(x) = [0, 1], I(t) = [0, 1]
unknown u : X × I -> R
bulk: ∂t u = κ*Δu + forcing*sorce on X × I
start: u = 0 on X × {0}
ends: u = 0 on ∂X × I
solve bulk, start, ends
