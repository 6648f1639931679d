"""The classes of a script's networks: one for each ansatz, however many solves and unknowns use it.

Two networks u = F(z, N(ζ(z))) share a class where inputs, features, F and the kind of N are the same.  Where they read
different derivatives, the class has a method for each set: `first_derivatives`, `second_derivatives`.
"""

from __future__ import annotations

from collections.abc import Collection

from pdespec.emit.channels import order
from pdespec.emit.parts import Script, SharedClass, signature
from pdespec.emit.residuals import by_points
from pdespec.model.fields import Field
from pdespec.model.model import Solve
from pdespec.plan.plan import Derivative, Network, Realisation

ORDINALS = {1: "first", 2: "second", 3: "third", 4: "fourth"}


def shared_class(network: Network, script: Script) -> SharedClass:
    """The class of a network."""
    if not script.classes:
        _name_classes(script)
    return script.classes[_key(network, script)]


def _key(n: Network, script: Script) -> tuple[object, ...]:
    """What decides the code of a class, its name and methods apart."""
    return n.coordinates, n.net, n.form, n.features, signature(script.model.unknown(n.field.name))


def _name_classes(script: Script) -> None:
    """Group the networks of all solves by what they compute, and name each group."""
    groups: dict[tuple[object, ...], list[tuple[Network, Realisation]]] = {}
    for realisation in script.plan.solves:
        for n in getattr(realisation, "networks", ()):
            groups.setdefault(_key(n, script), []).append((n, realisation))
    names: set[str] = set()
    for key, members in groups.items():
        fields = tuple({n.field.name: n.field for n, _ in members}.values())
        name = _name(fields, members[0][1].solve if len(members) == 1 else None, script, names)
        names.add(name)
        script.classes[key] = SharedClass(name, fields, _methods([s for n, r in members for s in _sets(n, r)]))


def _sets(n: Network, realisation: Realisation) -> list[tuple[Derivative, ...]]:
    """The derivatives that are read together at some points, by their highest order; the highest has all of them."""
    found: dict[int, set[Derivative]] = {}
    for group in by_points(getattr(realisation, "conditions", ())):
        read = {c.orders for condition in group for c in condition.channels if c.field == n.field}
        found.setdefault(max(map(order, read), default=0), set()).update(read)
    top = max(map(order, n.channels))
    lower = [tuple(c for c in n.channels if c in read) for k, read in sorted(found.items()) if 0 < k < top]
    return [*lower, n.channels]


def method_for(own: Collection[Derivative], shared: SharedClass) -> tuple[str, tuple[Derivative, ...]]:
    """The method of the lowest order that returns what is read, and all that it returns."""
    fitting = [(channels, name) for channels, name in shared.methods.items() if set(own) <= set(channels)]
    channels, name = min(fitting, key=lambda pair: (max(map(order, pair[0])), len(pair[0])))
    return name, channels


def _name(fields: tuple[Field, ...], solve: Solve | None, script: Script, others: set[str]) -> str:
    """`U` for u, `UV` for u and v, `RitzU` where only one of several solves uses it; another where that is taken."""
    stems = [script.names.name(f.name) for f in fields]
    if solve is not None and solve.title:
        stems.insert(0, script.names.name(solve.title))
    taken = script.names.users | others
    short = "".join(s[:1].upper() + s[1:] for s in stems)
    found = short if short not in taken else f"{''.join(stems)}Network"
    number = 2
    while found in others:
        found, number = f"{short}_{number}", number + 1
    return found


def _methods(channels: list[tuple[Derivative, ...]]) -> dict[tuple[Derivative, ...], str]:
    """`derivatives`, or several methods by the highest order of what they return."""
    sets = [c for c in dict.fromkeys(channels) if any(map(order, c))]
    if len(sets) == 1:
        return {sets[0]: "derivatives"}
    orders = [max(map(order, c)) for c in sets]
    if len(set(orders)) == len(orders) and set(orders) <= ORDINALS.keys():
        return {c: f"{ORDINALS[k]}_derivatives" for c, k in zip(sets, orders, strict=True)}
    return {c: f"derivatives_{k}" for k, c in enumerate(sets, 1)}
