domain X(x) = R^2
unknown p : P(X)
V := |x|²/2
balance: Δp + ∇·(p*∇V) = 0 on X
solve balance
