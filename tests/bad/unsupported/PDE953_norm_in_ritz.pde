# A norm that is fixed belongs into a quotient.
domain  Ω(x) = [0, 1]
unknown u : Ω -> R
norm: ∫ u² dx = 1
wall: u = 0 on ∂Ω
solve min[u] ∫ |∇u|² dx, norm, wall using ritz
