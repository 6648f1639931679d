# Steady Stokes flow in a box with a manufactured vortex; the pressure is fixed by its mean.
domain  Ω(x, y) = [0, 1]^2
unknown v : Ω -> R^2, p : Ω -> R

a := π*sin(π*x)²*sin(2*π*y)
b := -π*sin(2*π*x)*sin(π*y)²
q := cos(π*x)*sin(π*y)
f := (-2*π³*(2*cos(2*π*x) - 1)*sin(2*π*y) - π*sin(π*x)*sin(π*y), 2*π³*(2*cos(2*π*y) - 1)*sin(2*π*x) + π*cos(π*x)*cos(π*y))

momentum:   -Δv + ∇p = f on Ω
continuity: ∇·v = 0      on Ω
wall:       v = 0        on ∂Ω
gauge:      ∬ p dx dy = 0

check v = (a, b)
check p = q
solve momentum, continuity, wall, gauge
report error(v) < 1e-2, error(p) < 1e-2
