"""What evaluators elsewhere begin with, which the tests of ours that stand for them share."""

LOAD = """
import importlib.util
def load(path):
    spec = importlib.util.spec_from_file_location("program", path)
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)
    return program
"""
"""``load(path)``: the module of a program's file."""
