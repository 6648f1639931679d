domain A = {x | x < 1}
