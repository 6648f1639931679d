param Β = 1
