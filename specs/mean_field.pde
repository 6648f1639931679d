# Training a two-layer network in the mean-field limit: gradient descent on neurons is a Wasserstein gradient flow.
# Four neurons whose second moment is exactly M₀ = ((1, .2, 0), (.2, .6, .1), (0, .1, .3)).
param   d = 3
domain  Θ(θ) = R^d, X(x) = R^d, I(t) = [0, 1]
unknown p : P(Θ) over I

y(x)    := x[1]² + 1/2*x[2]² + 1/4*x[3]²
f(p)(x) := ∫ (θ · x)² * p(θ) dθ
L(p)    := 𝔼[x ~ gauss(0, 1)] 1/2 * (f(p)(x) - y(x))²

flow:  ∂t p = -grad(L, p; metric=W2) on Θ × I
start: p = gauss(0, rows((1, 1/5, 0), (1/5, 3/5, 1/10), (0, 1/10, 3/10))) on Θ × {0}

check δL/δp = 𝔼[x ~ gauss(0, 1)] (f(p)(x) - y(x)) * (θ · x)²
few:  solve flow, start using particles(n=4, moments=exact)     with rk4(dt=0.01)
many: solve flow, start using particles(n=1_000, moments=exact) with rk4(dt=0.01)
report few(L(p)(0)) ~ 0.12375 within 1e-4%, few(L(p)(0.1)) ~ 0.03379497466 within 1e-4%, few(L(p)(1)) ~ 3.924290293e-5 within 1e-4%
report many(L(p)(0.25)) ~ 0.00760021900 within 1e-4%, many(L(p)(0.5)) ~ 9.765538887e-4 within 1e-4%, many(L(p)(1)) ~ 3.924290293e-5 within 1e-4%
