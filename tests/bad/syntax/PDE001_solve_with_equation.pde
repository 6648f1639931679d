domain X(x) = [0, 1]
unknown u : X -> R
solve Δu = 1
