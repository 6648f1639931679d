# The porous-medium equation as the Wasserstein flow of ∫p², from Barenblatt's profile at t = 1.
domain  X(x) = [-6, 6], I(t) = [1, 8]
unknown p : P(X) over I

C := 0.360562392577                                      # unit mass
barenblatt := t^(-1/3) * max(C - x²*t^(-2/3)/12, 0)
E(p)       := ∫ p² dx
l1(p)      := ∫ |p - barenblatt| dx

flow:  ∂t p = -grad(E, p; metric=W2) on X × I
start: p = max(C - x²/12, 0)         on X × {1}

solve flow, start using grid(cells=400)
report l1(p) < 1e-2, E(p) ~ 0.14422495703 within 1e-3
