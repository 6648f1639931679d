from sympy import Expr


def unicode(e: Expr) -> str:
    return str(e)
