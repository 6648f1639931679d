param κ = 1
domain Ω(x) = [0, 1], I(t) = [0, 1]
unknown u : Ω × I -> R

ends: u = 0 on ∂Ω × I
bulk: ∂t u = κ*Δu on Ω × I
solve bulk, ends

report error(u, exp(-kapa*t)) < 1e-3
