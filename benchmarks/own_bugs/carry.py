"""A function of ours with all that it uses, as a text that stands alone: read from its module, so it is never a copy.

What it uses of its own and of other modules of ours (functions, classes, constants) comes with it by its source.
Values of ``limits`` are written as they are, and patterns are made inside of the function that uses them: neither can
be sent into the sandbox in another way.
"""

from __future__ import annotations

import ast
import builtins
import importlib.util
from dataclasses import dataclass, field
from pathlib import Path

from project_o import limits

PACKAGE = "project_o"
PATTERN = "re.compile("


@dataclass(frozen=True)
class Carried:
    """``text`` is a module; ``function`` the part of it that is the function ``name``."""

    name: str
    text: str
    function: str

    def with_function(self, function: str) -> str:
        """The module with another text of the function."""
        return self.text.replace(self.function, function)


@dataclass
class _Source:
    """One module of ours, and what stands at its top level."""

    module: str
    text: str = ""
    nodes: dict[str, ast.stmt] = field(default_factory=dict)

    def __post_init__(self) -> None:
        found = importlib.util.find_spec(self.module)
        assert found is not None, f"{self.module} is a module"
        assert found.origin is not None, f"{self.module} is a file"
        self.text = Path(found.origin).read_text("utf-8")
        for node in ast.parse(self.text).body:
            for name in _bound(node):
                self.nodes[name] = node


@dataclass
class _Carrier:
    imports: dict[str, None] = field(default_factory=dict)
    parts: list[str] = field(default_factory=list)
    done: set[tuple[str, str]] = field(default_factory=set)
    sources: dict[str, _Source] = field(default_factory=dict)

    def bring(self, module: str, name: str) -> str:
        """Everything that the name needs, and then its own text, which is given."""
        if (module, name) in self.done:
            return ""
        self.done.add((module, name))
        source = self._source(module)
        node = source.nodes[name]
        if isinstance(node, ast.Import | ast.ImportFrom):
            self._import(source, node, name)
            return ""
        patterns = self._needs(source, node)
        text = _with_limits(source.text, node)
        if isinstance(node, ast.FunctionDef):
            text = _with_patterns(text, patterns)
        self.parts.append(text)
        return text

    def _needs(self, source: _Source, node: ast.stmt) -> list[str]:
        """Brings what a node uses; the texts of the patterns, which are left to whoever uses them."""
        patterns = []
        used = {item.id: None for part in _evaluated(node) for item in ast.walk(part) if isinstance(item, ast.Name)}
        for name in used:
            known = source.nodes.get(name)
            if known is None or known is node or (name == "limits" and isinstance(known, ast.ImportFrom)):
                continue
            home, made = self._made(source, known, name)
            if isinstance(made, ast.Assign) and ast.unparse(made.value).startswith(PATTERN):
                text = ast.get_source_segment(home.text, made) or ""
                patterns += [*self._needs(home, made), text]
            else:
                self.bring(source.module, name)
        return patterns

    def _made(self, source: _Source, node: ast.stmt, name: str) -> tuple[_Source, ast.stmt]:
        """Where a name is made: there, or in the module of ours that it is imported from."""
        if not isinstance(node, ast.ImportFrom):
            return source, node
        module = _imported_from(source, node)
        if module == limits.__name__ or module.split(".")[0] != PACKAGE:
            return source, node
        home = self._source(module)
        return home, home.nodes[name]

    def _source(self, module: str) -> _Source:
        if module not in self.sources:
            self.sources[module] = _Source(module)
        return self.sources[module]

    def _import(self, source: _Source, node: ast.Import | ast.ImportFrom, name: str) -> None:
        if isinstance(node, ast.Import):
            self.imports[ast.unparse(node)] = None
            return
        module = _imported_from(source, node)
        if module == limits.__name__:
            self.parts.append(f"{name} = {getattr(limits, name)!r}")
        elif module.split(".")[0] == PACKAGE:
            self.bring(module, name)
        else:
            self.imports[f"from {module} import {name}"] = None


def carried(module: str, name: str) -> Carried:
    """``name`` of ``project_o.<module>``. Raises KeyError where there is no such function."""
    carrier = _Carrier()
    function = carrier.bring(f"{PACKAGE}.{module}", name)
    head = "\n".join(["from __future__ import annotations", *carrier.imports])
    return Carried(name, "\n\n\n".join([head, *carrier.parts]) + "\n", function)


def _imported_from(source: _Source, node: ast.ImportFrom) -> str:
    base = source.module.split(".")[: -node.level] if node.level else []
    return ".".join([*base, *([node.module] if node.module else [])])


def _bound(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Import | ast.ImportFrom):
        return [(item.asname or item.name).split(".")[0] for item in node.names]
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [item.id for target in targets for item in ast.walk(target) if isinstance(item, ast.Name)]


def _evaluated(node: ast.stmt) -> list[ast.AST]:
    """The parts of a definition that are carried out: annotations are not."""
    if isinstance(node, ast.FunctionDef):
        inner = [item for part in node.body for item in ast.walk(part)]
        arguments = {item.arg for item in ast.walk(node) if isinstance(item, ast.arg)}
        stored = {item.id for item in inner if isinstance(item, ast.Name) and isinstance(item.ctx, ast.Store)}
        local = arguments | stored
        defaults = [*node.args.defaults, *(item for item in node.args.kw_defaults if item is not None)]
        unevaluated = {
            id(part) for item in inner if isinstance(item, ast.AnnAssign) for part in ast.walk(item.annotation)
        }
        names = [
            item
            for item in inner
            if isinstance(item, ast.Name) and id(item) not in unevaluated and item.id not in local
        ]
        return [*defaults, *(item for item in names if not hasattr(builtins, item.id))]
    if isinstance(node, ast.AnnAssign):
        return [node.value] if node.value is not None else []
    return [node]


def _with_limits(text: str, node: ast.stmt) -> str:
    """The node's text with the numbers that ``limits`` has in the place of their names."""
    found = ast.get_source_segment(text, node) or ""
    names = {
        item.attr
        for item in ast.walk(node)
        if isinstance(item, ast.Attribute) and isinstance(item.value, ast.Name) and item.value.id == "limits"
    }
    for name in sorted(names, key=len, reverse=True):
        found = found.replace(f"limits.{name}", repr(getattr(limits, name)))
    return found


def _with_patterns(text: str, patterns: list[str]) -> str:
    """The function with its patterns made in its first lines, below its documentation."""
    if not patterns:
        return text
    body = ast.parse(text).body[0].body  # type: ignore[attr-defined]
    first = body[1] if isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant) else body[0]
    lines = text.splitlines(keepends=True)
    made = [f"    {pattern}\n" for pattern in patterns]
    return "".join([*lines[: first.lineno - 1], *made, *lines[first.lineno - 1 :]])
