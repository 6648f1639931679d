# The sign of the Laplacian was forgotten.
domain Ω(x, y) = [0, 1]^2
unknown u : Ω -> R

bulk: Δu = 2*π²*sin(π*x)*sin(π*y) on Ω
wall: u = 0                       on ∂Ω

check u = sin(π*x)*sin(π*y)
solve bulk, wall
