domain X(x) = [0, 1], V(v) = [0, 1]
unknown f : X × V -> R
bulk: Δf = 1 on X × V
wall: f = 0 on ∂X × V
solve bulk, wall
