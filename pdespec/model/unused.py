from pdespec.model.model import Model
from pdespec.model.scope import Scope
def unused(spec, model: Model, scope: Scope):
    return ()
