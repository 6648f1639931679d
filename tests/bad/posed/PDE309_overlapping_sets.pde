domain X(x) = R^2
domain A = {x in X : x[1] <= 1}, B = {x in X : x[1] >= -1}, Ω = X \ (A ∪ B)
unknown u : Ω -> R
bulk: Δu = 0 on Ω
atA: u = 1 on ∂A
atB: u = 0 on ∂B
solve bulk, atA, atB
