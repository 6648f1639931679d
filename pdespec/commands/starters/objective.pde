# The minimiser of an energy, and the equation that it must satisfy.

# A set, with the names of its coordinates.
domain Ω(x, y) = [0, 1]^2

# What is sought: a function on it.
unknown u : Ω -> R

# Definitions. A functional is a formula with an integral.
f    := 2*π² * sin(π*x) * sin(π*y)
E(u) := ∬ 1/2 * |∇u|² - f*u dx dy

# A condition that the minimiser is held to.
wall: u = 0 on ∂Ω

# The Euler-Lagrange equation, derived (weak) and as a textbook has it (strong): the compiler proves that they agree.
weak:   δE/δu = 0 on Ω
strong: -Δu = f   on Ω
check weak = strong

# Minimise, subject to the condition. Without `using` and `with` the compiler chooses, and takes longer to be more exact.
ritz: solve min[u] E(u), wall using ritz(points=1024) with adam(steps=100) then ssbroyden(steps=150)

# What to measure, with the bound that a run must meet: the exact solution here is sin(π x) sin(π y).
report ritz(E(u)) ~ -2.467401 within 1%
