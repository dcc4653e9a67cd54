"""Macros that make a body of Lisp shorter and say the same: learned by compression, applied by span.

A template is what two forms have in common (anti-unification: Plotkin 1970, Machine Intelligence 5), and the one that
saves most is taken first, its own definition counted: minimum description length, as in DreamCoder (Ellis et al. 2021)
and Stitch (Bowers et al. 2023). The size of a text is the number of its nodes: brackets, marks, names and literals.

    trees      forms as values: size, printing, what a template has in common with them
    learning   which macros to take, and a control that takes any
    rewriting  the text with their calls in it, all around them as it was
"""

from __future__ import annotations

from .learning import anything, learn
from .rewriting import expanded, rewritten, size_of
from .trees import Macro

__all__ = ["Macro", "anything", "expanded", "learn", "rewritten", "size_of"]
