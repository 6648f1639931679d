domain X(x) = [0, 1] ∪ [0, 1]^2
