domain Ω(x, y) = [0, 1]^2
unknown v : Ω -> R^2, p : Ω -> R
momentum: -Δv + v · ∇v + ∇p = (y, 0) on Ω
continuity: ∇·v = 0 on Ω
wall: v = 0 on ∂Ω
solve momentum, continuity, wall
