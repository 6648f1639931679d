unknown u : [0, 1] -> R
