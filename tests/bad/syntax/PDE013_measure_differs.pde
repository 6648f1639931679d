domain X(x) = [0, 1]
unknown u : X -> R
E := ∫[y in X] u(y) dx
