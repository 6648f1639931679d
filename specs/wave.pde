# A vibrating string: two modes, one four times as fast as the other.
param   c = 2
domain  X(x) = [0, 1], I(t) = [0, 1]
unknown u : X × I -> R

bulk:  ∂tt u = c²*∂xx u              on X × I
shape: u = sin(π*x) + 1/2*sin(4*π*x) on X × {0}
rest:  ∂t u = 0                      on X × {0}
ends:  u = 0                         on ∂X × I

check u = sin(π*x)*cos(2*π*t) + 1/2*sin(4*π*x)*cos(8*π*t)
solve bulk, shape, rest, ends
report error(u) < 2e-2
