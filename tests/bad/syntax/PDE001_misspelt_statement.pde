# Words of the language, nearly.
domian  Ω(x) = [0, 1]
unkown u : Ω -> R
parm κ = 1
reprot u
