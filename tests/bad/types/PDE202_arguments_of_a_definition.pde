domain Ω(x, y) = [0, 1]^2
unknown u : Ω -> R
g(a, b) := a + b
bulk: -Δu = g(x) on Ω
wall: u = 0 on ∂Ω
solve bulk, wall
