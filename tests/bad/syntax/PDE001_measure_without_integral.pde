domain X(x) = [0, 1]
unknown u : X -> R
E(u) := |∇u|² dx
