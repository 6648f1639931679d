# The Kuramoto–Sivashinsky equation between two ends at rest.
domain  X(x) = [-1, 1], I(t) = [0, 1]
unknown u : X × I -> R

bulk:  ∂t u + u*∂x u + ∂xx u + ∂xxxx u = 0 on X × I
start: u = -sin(π*x)                       on X × {0}
ends:  u = 0                               on ∂X × I
bends: ∂xx u = 0                           on ∂X × I

ansatz u := mlp(x, t; width=64, depth=4)
solve bulk, start, ends, bends using collocation(points=2048) with adam(steps=10_000, lr=1e-3)
report ‖u‖
