# A vibrating string by a network that sees where the waves that meet at a point came from and went.
param   c = 2
domain  X(x) = [0, 1], I(t) = [0, 1]
unknown u : X × I -> R

bulk:  ∂tt u = c²*∂xx u              on X × I
shape: u = sin(π*x) + 1/2*sin(4*π*x) on X × {0}
rest:  ∂t u = 0                      on X × {0}
ends:  u = 0                         on ∂X × I

ansatz u := x*(1 - x) * mlp(6*(x - c*t), 6*(x + c*t); width=24, depth=2, activation=sin)
check u = sin(π*x)*cos(2*π*t) + 1/2*sin(4*π*x)*cos(8*π*t)
solve bulk, shape, rest, ends using collocation(points=1024) with adam(steps=50) then ssbroyden(steps=4_500)
report error(u) < 1e-4
