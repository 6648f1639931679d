# The variation of u(1/2)² is a Dirac mass.
domain X(x) = [0, 1]
unknown u : X -> R
E(u) := u(0.5)²
weak: δE/δu = 0 on X
ends: u = 0     on ∂X
solve weak, ends
