domain X(x) = R^2
data q : P(X) from "moons.npz"
