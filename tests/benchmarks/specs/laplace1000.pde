# Laplace's equation in a thousand dimensions.
domain  Ω(x) = [0, 1]^1000
unknown u : Ω -> R

bulk: Δu = 0        on Ω
wall: u = x[1]*x[2] on ∂Ω

ansatz u := mlp(x; width=64, depth=4)
solve bulk, wall using collocation(points=16, sampler=uniform) with adam(steps=10_000, lr=1e-3)
report ‖u‖
