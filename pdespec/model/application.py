"""Names and calls: functions at points, definitions at arguments.

A definition of points alone stays a named node, `V(x)`; anything else is put in, its formals bound to the arguments and
its points fresh, so that no name is captured.  Formals that are points set the current point of their domain.  A bare
functional stands for itself applied to the functions named like its formals.
"""

from __future__ import annotations

