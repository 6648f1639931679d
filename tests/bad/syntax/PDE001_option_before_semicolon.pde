domain X(x) = [0, 1]
unknown u : X -> R
f := h(x, k=1)
bulk: Δu = 1 on X
wall: u = 0 on ∂X
solve bulk, wall
