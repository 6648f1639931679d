# Five mistakes, five messages; the other lines are read as if nothing had happened.
param a := 5
domain X(x) = [0, 1], I(t) = [0, 1
unknown u : X × I -> R

f := 2 sin(x)
bulk: ∂t u = a*Δu + on X × I
start: u = f on X × {0}
walls: u = 0 on ∂X × I
solve bulk start, walls
report error(u) < 1e-3
