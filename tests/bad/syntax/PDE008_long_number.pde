domain X(x) = [0, 1]
unknown u : X -> R
f := 3.14159265358979323846264338327950288419716
g := 1e301
bulk: Δu = 1 on X
wall: u = 0 on ∂X
solve bulk, wall
