# Five mistakes, five messages.
param κ = 1/10
domain X(x) = [0, 1], I(t) = [0, 1]
unknown u : X × I -> R

f := sin(x, t)
bulk: ∂t u = kapa*Δu on X × I
wall: u = 0 on ∂X
shape: u = (1, 2) on X × {0}
solve bulk, wall, shape using collocaton(points=100)
