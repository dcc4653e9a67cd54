"""How the programs of each language are built, opened in the sandbox, and served.

The flow knows only ``Runtime``. ``native`` is that of Zig and Rust, ``python`` that of
Python functions and of agents made in Python, ``lisp`` that of agents written in Lisp.

To add one more: a class with the methods of ``Runtime``, and one line where the flow is made.
"""

from __future__ import annotations

from .lisp import LispRuntime, agent_program
from .native import NativeRuntime
from .python import PythonRuntime
from .python_agent import PythonAgent
from .seam import Runtime, Subject

__all__ = ["LispRuntime", "NativeRuntime", "PythonAgent", "PythonRuntime", "Runtime", "Subject", "agent_program"]
