# The weak form belongs to half of the diffusion.
domain Ω(x) = [0, 1]^2
unknown u : Ω -> R
E(u) := ∫ 1/2*|∇u|² - u dx
strong: -1/2 * Δu = 1 on Ω
weak:   δE/δu = 0     on Ω
wall:   u = 0         on ∂Ω
check weak = strong
solve strong, wall
