domain A(a) = {1, 2}
f := max[a in A] a² + a
