param κ = 1/10
domain X(x) = [0, 1], I(t) = [0, 1]
unknown u : X × I -> R
bulk: ∂tt u = κ*Δu on X × I
start: u = sin(π*x) on X × {0}
ends: u = 0 on ∂X × I
solve bulk, start, ends
