domain X(x) = R^2
domain A = {x in X : |x| <= 1}, B = {x in X : |x| >= 3}, C = {x in X : |x| <= 2}, Ω = X \ (A ∪ B)
unknown u : Ω -> R
bulk: Δu = 0 on Ω
atA: u = 1 on ∂A
atC: u = 0 on ∂C
solve bulk, atA, atC
