domain Ω(x, y) = [0, 1]^2
unknown u : Ω -> R
domain A(a) = [0, 1]
bulk: max[a in A] (a*Δu) = 1 on Ω
wall: u = 0 on ∂Ω
solve bulk, wall
