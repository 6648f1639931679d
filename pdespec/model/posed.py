from pdespec.model.model import Model
from pdespec.model.scope import Scope
def posed(model: Model, scope: Scope):
    return ()
