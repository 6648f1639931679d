# Heat in a rod with cold ends.
param   κ = 0.1
domain  X(x) = [0, 1], I(t) = [0, 1]
unknown u : X × I -> R

bulk:  ∂t u = κ*Δu  on X × I
start: u = sin(π*x) on X × {0}
ends:  u = 0        on ∂X × I

check u = exp(-κ*π²*t)*sin(π*x)
solve bulk, start, ends
report error(u) < 1e-3
