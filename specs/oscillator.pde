# The harmonic oscillator: ground state and first excited state as minima of the Rayleigh quotient.
domain  X(x) = [-8, 8]
unknown u : X -> R, v : X -> R

H(ψ) := -1/2*Δψ + 1/2*x²*ψ
Q(ψ) := ⟨ψ|H|ψ⟩ / ⟨ψ|ψ⟩

ends:       u = 0 on ∂X
vends:      v = 0 on ∂X
orthogonal: ∫ v * ground(u) dx = 0

ground:  solve min[u] Q(u), ends              using ritz(points=256)
excited: solve min[v] Q(v), vends, orthogonal using ritz(points=256)
report ground(Q(u)) ~ 1/2 within 1e-5, excited(Q(v)) ~ 3/2 within 1e-4
