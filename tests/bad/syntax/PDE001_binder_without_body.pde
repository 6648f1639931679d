domain A(a) = {1, 2}
f := ∑[a in A]
