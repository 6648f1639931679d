param β = 5
f := exp(-beta)
