# An eigenvalue as an unknown: a quotient says the same.
domain  Ω(x) = [0, 1]
unknown u : Ω -> R, μ : R
mode: -Δu = μ*u on Ω
wall: u = 0     on ∂Ω
solve mode, wall using collocation(points=64)
