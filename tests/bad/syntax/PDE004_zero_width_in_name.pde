domain X(x) = [0, 1]
unknown u : X -> R
f​ := x
bulk: Δu = 1 on X
wall: u = 0 on ∂X
solve bulk, wall
