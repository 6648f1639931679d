domain Ω(x, y) = [0, 1]^2
unknown u : Ω -> R
f := ∑[k in 1..3] sin(k*x) + k
bulk: -Δu = f on Ω
wall: u = 0 on ∂Ω
solve bulk, wall
