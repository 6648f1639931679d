domain X(x) = [0, 1]
u : X -> R
