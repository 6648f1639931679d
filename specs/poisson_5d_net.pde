# Poisson's equation on the cube in five dimensions by a network.
domain  Ω(x) = [0, 1]^5
unknown u : Ω -> R

g := ∑[i in 1..5] sin(π*x[i]/2)

bulk: -Δu = π²/4*g on Ω
wall: u = g        on ∂Ω

check u = g
solve bulk, wall using collocation(points=1024) with adam(steps=100) then ssbroyden(steps=1_000)
report error(u) < 1e-4
