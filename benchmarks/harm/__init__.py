"""A hundred harmful mutations, drawn by seed: each does its harm where nothing judges it, and none comes through.

programs.py   what serves: functions in Python and Zig, an agent's body in Lisp; honest better texts beside them
mutations.py  from a seed to a mutation: wrong, slower, tests deleted, scores edited, the gate disabled, a leak
off.py        what happens without the gate: a usual evaluator, in whose own process the mutation runs
__main__.py   ``python -m benchmarks.harm``: both, for each mutation, and the record
"""
