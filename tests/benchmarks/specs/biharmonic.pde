# A simply supported plate under a load.
domain  Ω(x, y) = [0, 1]^2
unknown u : Ω -> R

bulk:   ΔΔu = 4*π⁴*sin(π*x)*sin(π*y) on Ω
wall:   u = 0                        on ∂Ω
moment: Δu = 0                       on ∂Ω

ansatz u := mlp(x, y; width=64, depth=4)
check u = sin(π*x)*sin(π*y)
solve bulk, wall, moment using collocation(points=2048) with adam(steps=10_000, lr=1e-3)
report error(u)
