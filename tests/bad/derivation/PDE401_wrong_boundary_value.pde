# The declared solution satisfies the equation and not the condition.
domain X(x) = [0, 1]
unknown u : X -> R
bulk: -∂xx u = π²*sin(π*x) on X
ends: u = 0                on ∂X
check u = sin(π*x) + x
solve bulk, ends
