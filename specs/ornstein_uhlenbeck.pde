# An anisotropic Ornstein-Uhlenbeck process from a Gaussian, on a grid and by Langevin particles.
param   β = 2
domain  X(x) = R^2, I(t) = [0, 2]
unknown p : P(X) over I

A := rows((2, 1/2), (1/2, 1))
m := (1, -1)
V := 1/2 * (x - m) · (A · (x - m))

E(p)   := 1/β * ∫ p*ln(p) dx + ∫ V*p dx
gap(p) := E(p) + 1/β * ln(2*π/β * 2/sqrt(7))              # E - E_min, det A = 7/4
m1(p)  := ∫ x[1]*p dx
m2(p)  := ∫ x[2]*p dx
c11(p) := ∫ (x[1] - m1(p))²*p dx
c12(p) := ∫ (x[1] - m1(p))*(x[2] - m2(p))*p dx
c22(p) := ∫ (x[2] - m2(p))²*p dx

flow:  ∂t p = -grad(E, p; metric=W2)                   on X × I
start: p = gauss((3, 2), rows((1, 3/10), (3/10, 1/2))) on X × {0}

g: solve flow, start using grid(box=[-4, 8] × [-6, 6], cells=(400, 400)) with euler(dt=0.05)
s: solve flow, start using particles(n=20_000) with heun(dt=0.025)
report g(gap(p)(0.25)) ~ 4.493645073 within 0.1%, g(gap(p)(0.5)) ~ 1.836331855 within 0.1%
report g(gap(p)(1)) ~ 0.447980367 within 0.1%, g(gap(p)(2)) ~ 0.068413558 within 0.1%
report s(m1(p)(0.25)) ~ 1.96431577 within 3*stderr, s(m2(p)(0.25)) ~ 1.18052782 within 3*stderr
report s(c11(p)(0.25)) ~ 0.50565954 within 3*stderr, s(c12(p)(0.25)) ~ 0.04004538 within 3*stderr, s(c22(p)(0.25)) ~ 0.47280543 within 3*stderr
report s(m1(p)(0.5)) ~ 1.40156004 within 3*stderr, s(m2(p)(0.5)) ~ 0.62716213 within 3*stderr
report s(c11(p)(0.5)) ~ 0.34795243 within 3*stderr, s(c12(p)(0.5)) ~ -0.05866984 within 3*stderr, s(c22(p)(0.5)) ~ 0.48760512 within 3*stderr
report s(m1(p)(1)) ~ 0.9570652 within 3*stderr, s(m2(p)(1)) ~ -0.0350744 within 3*stderr
report s(c11(p)(1)) ~ 0.285813 within 3*stderr, s(c12(p)(1)) ~ -0.1181947 within 3*stderr, s(c22(p)(1)) ~ 0.527181 within 3*stderr
report s(m1(p)(2)) ~ 0.8762728 within 3*stderr, s(m2(p)(2)) ~ -0.60654029 within 3*stderr
report s(c11(p)(2)) ~ 0.28411118 within 3*stderr, s(c12(p)(2)) ~ -0.13875183 within 3*stderr, s(c22(p)(2)) ~ 0.56186272 within 3*stderr
