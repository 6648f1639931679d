domain A(a) = {1, 2}
f := max[a] a²
