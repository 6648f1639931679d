# Poisson's equation on the unit square; the boundary's values are a term of the loss.
domain  Ω(x, y) = [0, 1]^2
unknown u : Ω -> R

bulk: -Δu = 2*π²*sin(π*x)*sin(π*y) on Ω
wall: u = 0                        on ∂Ω

ansatz u := mlp(x, y; width=64, depth=4)
check u = sin(π*x)*sin(π*y)
solve bulk, wall using collocation(points=4096) with adam(steps=10_000, lr=1e-3)
report error(u)
