# Poisson's equation by a network that vanishes on the boundary.
domain  Ω(x, y) = [0, 1]^2
unknown u : Ω -> R

f := 2*π²*sin(π*x)*sin(π*y)

bulk: -Δu = f on Ω
wall: u = 0   on ∂Ω

ansatz u := x*(1 - x)*y*(1 - y) * mlp(x, y; width=24, depth=2)
check u = sin(π*x)*sin(π*y)
solve bulk, wall using collocation(points=1024) with adam(steps=200) then ssbroyden(steps=2_000)
report error(u) < 1e-7
