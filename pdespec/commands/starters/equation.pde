# Heat in a rod whose ends are kept cold.

# Constants. Change one for a single run with: pdespec run heat.pde --set κ=0.2
param κ = 0.1

# Sets, with the names of their coordinates. An interval with coordinate t is time.
domain X(x) = [0, 1], I(t) = [0, 1]

# What is sought: a function of space and time.
unknown u : X × I -> R

# What it satisfies. A label names each line in the training history and in messages.
heat:  ∂t u = κ * ∂xx u on X × I
start: u = sin(π*x)     on X × {0}
ends:  u = 0            on ∂X × I

# An exact solution, if you know one: the compiler proves that it satisfies the lines above. Otherwise delete this.
check u = exp(-κ*π²*t) * sin(π*x)

# Which equations to solve. Without `using METHOD` the compiler chooses a method and says why.
solve heat, start, ends

# What to measure, with the bound that a run must meet.
report error(u) < 1e-3
