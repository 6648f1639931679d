f := ∑[i > j] i*j
