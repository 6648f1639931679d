# Always in scope: a metric is its Onsager operator φ = δE/δp ↦ grad E; ∂t p = -grad(E, p; metric=M) is the gradient flow of M.
L2(p)(φ)(x)       := φ(x)
Hm1(p)(φ)         := -Δφ
W2(p)(φ)          := -∇·(p * ∇φ)
FR(p)(φ)(x)       := p(x) * (φ(x) - ∫ p(y) * φ(y) dy)
WFR(α)(p)(φ)      := W2(p)(φ) + α * FR(p)(φ)
Stein(K)(p)(φ)(x) := -∇·(p(x) * ∫ K(x, y) * p(y) * (∇φ)(y) dy)
