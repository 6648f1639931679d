domain Ω(x, y) = [0, 1]^2 \ disk((.5, .5), .2)
unknown u : Ω -> R
bulk: -Δu = 1 on Ω
hole: u = 0 on ∂(disk((.5, .5), .2))
solve bulk, hole
