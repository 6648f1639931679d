# Steady flow of an incompressible fluid: velocity (u, v) and pressure p from one network.
param   ν = 0.01
domain  Ω(x, y) = [0, 1]^2
unknown w : Ω -> R^3

u := w[1]
v := w[2]
p := w[3]

along:  u*∂x u + v*∂y u + ∂x p = ν*Δu on Ω
across: u*∂x v + v*∂y v + ∂y p = ν*Δv on Ω
continuity: ∂x u + ∂y v = 0 on Ω
still: u = 0 on ∂Ω
rest:  v = 0 on ∂Ω

ansatz w := mlp(x, y; width=64, depth=4)
solve along, across, continuity, still, rest using collocation(points=4096) with adam(steps=10_000, lr=1e-3)
report ‖w‖
