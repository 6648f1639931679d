domain X(x) = [0, 1]
unknown u : X -> R
f := 2x
g := x (x + 1)
bulk: Δu = 1 on X
wall: u = 0 on ∂X
solve bulk, wall
