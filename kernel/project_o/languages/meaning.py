"""What a text says, without the ways in which the same can be written: two texts of one meaning need one trial.

A run asks of each text several times, and keeps what was said of all of them, so the answer is a hash, and remembered.
"""

from __future__ import annotations

import ast
import hashlib
from functools import lru_cache

from ..errors import UsageError
from .several import parts
from .table import FILES, tools_for


@lru_cache(maxsize=256)
def meaning(language: str, source: str) -> str:
    """A hash of what a text says: SHA-256 of the syntax tree of a Python text without its remarks, brackets and
    statements that do nothing; of any other text, of its tokens. A text that cannot be read is its own meaning.
    """
    return hashlib.sha256(_said(language, source).encode("utf-8", "surrogatepass")).hexdigest()


def _said(language: str, source: str) -> str:
    try:
        if language == FILES:
            return "\n".join(f"{part.name}: {meaning(part.language, part.text)}" for part in parts(source))
        if language != "python":
            return tools_for(language).normalised(source)
        tree = ast.parse(source)
        for node in ast.walk(tree):
            for name in ("body", "orelse", "finalbody"):
                found = getattr(node, name, None)
                if isinstance(found, list):
                    setattr(node, name, [item for item in found if not _says_nothing(item)])
        return ast.dump(tree)
    except (UsageError, SyntaxError, ValueError, RecursionError, MemoryError):
        return source


def _says_nothing(node: ast.AST) -> bool:
    return isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
