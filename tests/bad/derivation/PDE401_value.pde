# Two expressions that agree at zero and nowhere else.
domain X(x) = [-1, 1]
check sin(x) = x
