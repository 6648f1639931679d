# Laplace's equation in a hundred dimensions.
domain  Ω(x) = [0, 1]^100
unknown u : Ω -> R

bulk: Δu = 0        on Ω
wall: u = x[1]*x[2] on ∂Ω

ansatz u := mlp(x; width=64, depth=4)
check u = x[1]*x[2]
solve bulk, wall using collocation(points=256) with adam(steps=10_000, lr=1e-3)
report error(u)
