# Poisson's equation in ten dimensions.
domain  Ω(x) = [0, 1]^10
unknown u : Ω -> R

sines := ∑[i in {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}] sin(π*x[i])

bulk: -Δu = π²*sines on Ω
wall: u = sines      on ∂Ω

ansatz u := mlp(x; width=64, depth=4)
check u = sines
solve bulk, wall using collocation(points=1024) with adam(steps=10_000, lr=1e-3)
report error(u)
