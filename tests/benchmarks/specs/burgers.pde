# Viscous Burgers; the start and the walls are terms of the loss.
param   ν = 0.01/π
domain  X(x) = [-1, 1], I(t) = [0, 1]
unknown u : X × I -> R

bulk:  ∂t u + u * ∂x u = ν * ∂xx u on X × I
start: u = -sin(π*x)               on X × {0}
walls: u = 0                       on ∂X × I

ansatz u := mlp(x, t; width=64, depth=4)
solve bulk, start, walls using collocation(points=4096) with adam(steps=10_000, lr=1e-3)
report ‖u‖
