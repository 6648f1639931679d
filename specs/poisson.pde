# Poisson's equation on the unit square. The numerics are left to the planner.
domain  Ω(x, y) = [0, 1]^2
unknown u : Ω -> R

f := 2*π²*sin(π*x)*sin(π*y)

bulk: -Δu = f on Ω
wall: u = 0   on ∂Ω

check u = sin(π*x)*sin(π*y)          # proved at build time: it satisfies bulk and wall
solve bulk, wall
report error(u) < 1e-8
