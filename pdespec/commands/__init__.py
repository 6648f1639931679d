"""The commands of `pdespec`, one module each.

A module offers `add_to(commands)`, which declares its arguments, and the function that carries the command out and
returns the exit code.  What they share is in `terminal` (messages, JSON) and `pipeline` (reading and compiling a spec).
"""
