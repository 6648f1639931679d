domain Ω(x, y) = [0, 1]^2
unknown u : Ω -> R
f := 1 + g
g := 2*h(1)
h(z) := z + f
bulk: -Δu = 1 on Ω
wall: u = 0 on ∂Ω
solve bulk, wall
