domain X(x) = R^2
unknown ψ : X -> R with antisymmetric(spins=(1, 1))
