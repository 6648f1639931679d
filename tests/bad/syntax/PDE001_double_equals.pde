# A test for equality, as in programs.
domain  Ω(x) = [0, 1]
unknown u : Ω -> R
bulk: -Δu == 1 on Ω
u == 0 on ∂Ω
