"""The package's own sources, parsed once: what the workshop's rules are checked on."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "kernel" / "project_o"


@dataclass(frozen=True)
class Source:
    """One module of the package: its dotted name, its place, its text and tree."""

    name: str
    path: Path
    text: str
    tree: ast.Module

    @property
    def place(self) -> str:
        """The path as a reader of the repository knows it."""
        return str(self.path.relative_to(ROOT)) if self.path.is_relative_to(ROOT) else str(self.path)

    @property
    def is_package(self) -> bool:
        return self.path.name == "__init__.py"

    def imports(self, known: frozenset[str] = frozenset()) -> list[tuple[str, int]]:
        """(absolute dotted name, line) of every import anywhere in the module, inside functions too.

        ``from x import y`` is ``x.y`` where that is one of the ``known`` modules, else ``x``.
        """
        found: list[tuple[str, int]] = []
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                found += [(alias.name, node.lineno) for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                base = self._absolute(node)
                for alias in node.names:
                    full = f"{base}.{alias.name}"
                    found.append((full if full in known else base, node.lineno))
        return found

    def _absolute(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        parts = self.name.split(".")
        parents = parts[: len(parts) - node.level + (1 if self.is_package else 0)]
        return ".".join([*parents, *([node.module] if node.module else [])])


def read(path: Path, base: Path = PACKAGE, package: str = "project_o") -> Source:
    """A module from its file."""
    text = path.read_text(encoding="utf-8")
    inside = path.relative_to(base).with_suffix("").parts
    parts = [package, *(inside[:-1] if inside[-1] == "__init__" else inside)]
    return Source(".".join(parts), path, text, ast.parse(text, str(path)))


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def sources() -> list[Source]:
    found = [read(path) for path in sorted(PACKAGE.rglob("*.py"))]
    assert len(found) > 10, f"the package is not where the tests look for it: {PACKAGE}"
    return found


@pytest.fixture
def make_source(tmp_path):
    """A module out of a text, for the tests of the rules themselves."""

    def make(name: str, text: str) -> Source:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return read(path, tmp_path)

    return make
