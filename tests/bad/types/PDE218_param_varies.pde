domain X(x) = [0, 1]
param a = 2*x
