domain X(x) = [0, 1]
unknown u : X -> R
E(u) := 1/2 * ∫ |∇u|²
