# Poisson's equation as the minimum of Dirichlet's energy; the strong form is checked against it.
domain  Ω(x, y) = [0, 1]^2
unknown u : Ω -> R

f    := 2*π²*sin(π*x)*sin(π*y)
E(u) := ∬ 1/2*|∇u|² - f*u dx dy

strong: -Δu = f   on Ω
weak:   δE/δu = 0 on Ω
wall:   u = 0     on ∂Ω

ansatz u := x*(1 - x)*y*(1 - y) * mlp(x, y; width=24, depth=2)
check weak = strong
check u = sin(π*x)*sin(π*y)
solve min[u] E(u), wall using ritz(points=1024) with adam(steps=300) then ssbroyden(steps=500)
report error(u) < 1e-5, E(u) ~ -π²/4 within 1e-4
