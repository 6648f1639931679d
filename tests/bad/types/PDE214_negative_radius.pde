domain Ω(x, y) = disk((0, 0), -1)
