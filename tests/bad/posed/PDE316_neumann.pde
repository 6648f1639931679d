domain X(x) = [0, 1]
unknown u : X -> R
bulk: -Δu = cos(π*x) on X
ends: ∂n u = 0 on ∂X
solve bulk, ends
