# Viscous Burgers: steepens to a front of width ~ν at x = 0.
param   ν = 0.01/π
domain  X(x) = [-1, 1], I(t) = [0, 1]
unknown u : X × I -> R

bulk:  ∂t u + u * ∂x u = ν * ∂xx u on X × I
start: u = -sin(π*x)               on X × {0}
walls: u = 0                       on ∂X × I

# Cole and Hopf: the heat kernel acting on exp(-cos(πx)/(2πν)); z is the distance in its standard deviations.
y(z)      := x - sqrt(2*ν*t)*z
weight(z) := exp(-z²/2 - (1 + cos(π*y(z)))/(2*π*ν))
colehopf  := -∫[z in [-14, 14]] sin(π*y(z))*weight(z) dz / ∫[z in [-14, 14]] weight(z) dz

ansatz u := (1 - x²) * mlp(x, t; width=24, depth=3)
solve bulk, start, walls using collocation(points=2048, sampler=residual(every=200)) with adam(steps=300) then ssbroyden(steps=7_000)
report error(u, colehopf) < 2e-4
