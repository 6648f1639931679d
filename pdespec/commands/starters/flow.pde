# A density that flows down its free energy in the Wasserstein metric: the Fokker-Planck equation.

# The inverse temperature.
param β = 2

# Space and time.
domain X(x) = R, I(t) = [0, 2]

# What is sought: a probability density on X for each time.
unknown p : P(X) over I

# The energy: a potential and an entropy.
V    := (x² - 1)²
E(p) := ∫ V * p dx + 1/β * ∫ p * ln(p) dx

# The flow and its start. Other metrics: L2, Hm1, FR, WFR(α), Stein(K), or one that you define.
flow:  ∂t p = -grad(E, p; metric=W2) on X × I
start: p = gauss(0, 1)               on X × {0}

# What the flow is, written out: the compiler proves it.
explicit: ∂t p = ∇·(p * ∇V) + 1/β * Δp on X × I
check flow = explicit

# The same flow twice: on a grid, and by particles with noise.
a: solve flow, start using grid(cells=400)
b: solve flow, start using particles(n=5000) with euler(dt=1e-3)

# What to measure. A report without a bound is printed only.
report a(E(p)), a(∫ x² * p dx), b(∫ x² * p dx)
