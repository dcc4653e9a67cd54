"""Imports and forms that a policy does not want, found by reading the source: lint in front of the wall.

It tells an honest author, a person or a model, what is not wanted, before anything runs. It is no protection: code
can spell an import in ways that no reader sees. What a job may really do is decided by ``policy`` and ``locks``.

A rule is ``import:NAME`` (a module and all below it) or ``form:NAME``: a keyword of the language (``while``,
``lambda``, ``class``), or a name, dotted or not, wherever it is used (``eval``, ``os.system``, ``__subclasses__``).
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ..errors import UsageError

LANGUAGES = ("python", "lisp")
COMPUTED = "(a computed name)"
_IMPORTERS = frozenset({"__import__", "importlib.import_module", "import_module"})

_KEYWORDS: dict[str, tuple[type[ast.AST], ...]] = {
    "assert": (ast.Assert,),
    "async": (ast.AsyncFunctionDef, ast.AsyncFor, ast.AsyncWith),
    "await": (ast.Await,),
    "class": (ast.ClassDef,),
    "comprehension": (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp),
    "def": (ast.FunctionDef, ast.AsyncFunctionDef),
    "del": (ast.Delete,),
    "for": (ast.For, ast.AsyncFor),
    "global": (ast.Global,),
    "if": (ast.If, ast.IfExp),
    "import": (ast.Import, ast.ImportFrom),
    "lambda": (ast.Lambda,),
    "match": (ast.Match,),
    "nonlocal": (ast.Nonlocal,),
    "raise": (ast.Raise,),
    "try": (ast.Try, ast.TryStar),
    "while": (ast.While,),
    "with": (ast.With, ast.AsyncWith),
    "yield": (ast.Yield, ast.YieldFrom),
}


class Denied(NamedTuple):
    """One place that the rules do not allow. ``line`` counts from 1; ``what`` is the rule's own spelling."""

    line: int
    what: str
    reason: str


class Found(NamedTuple):
    """Something that a rule may speak of: ``kind`` is "import" or "form"; or "unreadable", and ``name`` says why."""

    kind: str
    name: str
    line: int


@dataclass(frozen=True, slots=True)
class LintRules:
    """What is not wanted. ``allowed_imports`` None: every import that is not denied; otherwise only those.

    ``reasons`` may say for a rule, spelled as in ``deny``, why it is there.
    """

    denied_imports: tuple[str, ...] = ()
    denied_forms: tuple[str, ...] = ()
    allowed_imports: tuple[str, ...] | None = None
    reasons: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls, *, allow: Iterable[str] = (), deny: Iterable[str] = (), reasons: Mapping[str, str] | None = None
    ) -> LintRules:
        """From rules as words. Raises UsageError for what is no rule."""
        allowed = [_split("allow", rule) for rule in allow]
        denied = [_split("deny", rule) for rule in deny]
        if wrong := [name for kind, name in allowed if kind == "form"]:
            raise UsageError(f"allow does not know form:{wrong[0]}: every form is allowed unless deny names it")
        return cls(
            denied_imports=tuple(sorted({name for kind, name in denied if kind == "import"})),
            denied_forms=tuple(sorted({name for kind, name in denied if kind == "form"})),
            allowed_imports=tuple(sorted({name for _, name in allowed})) if allowed else None,
            reasons=dict(reasons or {}),
        )

    def words(self) -> dict[str, list[str]]:
        """What ``of`` makes the same rules of, reasons aside."""
        denied = [f"import:{name}" for name in self.denied_imports] + [f"form:{name}" for name in self.denied_forms]
        return {"allow": [f"import:{name}" for name in self.allowed_imports or ()], "deny": denied}

    def __bool__(self) -> bool:
        """Whether there is anything to look for."""
        return bool(self.denied_imports or self.denied_forms or self.allowed_imports is not None)

    def judge(self, found: Found) -> Denied | None:
        """What the rules say of one thing that the source contains."""
        if found.kind == "form":
            rule = f"form:{found.name}"
            return self._denied(found.line, rule, rule) if found.name in self.denied_forms else None
        if found.kind == "unreadable":
            return Denied(found.line, "the source", f"it cannot be read as a whole: {found.name}")
        return self._judge_import(found)

    def _judge_import(self, found: Found) -> Denied | None:
        spelled = f"import:{found.name}"
        if found.name == COMPUTED:
            if self.denied_imports or self.allowed_imports is not None:
                return Denied(found.line, spelled, "imports are limited here, and this one cannot be read")
            return None
        for name in self.denied_imports:
            if _within(found.name, name):
                return self._denied(found.line, spelled, f"import:{name}")
        if self.allowed_imports is not None and not any(_within(found.name, name) for name in self.allowed_imports):
            only = ", ".join(self.allowed_imports)
            return Denied(found.line, spelled, f"only these imports are allowed: {only}")
        return None

    def _denied(self, line: int, what: str, rule: str) -> Denied:
        return Denied(line, what, self.reasons.get(rule, f"the policy denies {rule}"))


def lint(source: str, language: str, rules: LintRules) -> tuple[Denied, ...]:
    """What ``rules`` deny in ``source`` ("python" or "lisp"), in the order of its lines. Runs nothing of it.

    Empty for Python that cannot be parsed, since it cannot run either; Lisp is run form by form, so what cannot be
    read as a whole is denied. Raises UsageError for another language.
    """
    if language not in LANGUAGES:
        raise UsageError(f"lint knows {' and '.join(LANGUAGES)}, not {language!r}")
    if not rules:
        return ()
    if language == "lisp":
        from .lint_lisp import lisp_contents as contents
    else:
        contents = python_contents
    told = {denied for found in contents(source, rules.denied_forms) if (denied := rules.judge(found)) is not None}
    return tuple(sorted(told))


def lint_program(program: Mapping[str, Any], rules: LintRules) -> tuple[Denied, ...]:
    """The same for a Python function with its surroundings, as ``FunctionWorker`` takes it; lines are the cell's."""
    if not rules:
        return ()
    texts = [(program["text"], program["first_line"]), *((text, line) for _, _, text, line in program["sources"])]
    found = [item._replace(line=item.line + line - 1) for text, line in texts for item in lint(text, "python", rules)]
    modules = [module for _, module in program["modules"]] + [module for _, module, _ in program["names"]]
    around = (rules.judge(Found("import", module, program["first_line"])) for module in modules)
    return tuple(sorted({*found, *(item for item in around if item is not None)}))


def told(denied: Iterable[Denied], shown: int = 3) -> str:
    """One line for an error message."""
    items = list(denied)
    text = "; ".join(f"line {item.line}: {item.what} is denied ({item.reason})" for item in items[:shown])
    return text + (f"; and {len(items) - shown} more" if len(items) > shown else "")


def _split(what: str, rule: str) -> tuple[str, str]:
    kind, _, name = rule.partition(":")
    if kind not in ("import", "form") or not name or not all(part.isidentifier() for part in _plain(name).split(".")):
        raise UsageError(f"{what} does not know {rule!r}: write import:NAME or form:NAME")
    return kind, name


def _plain(name: str) -> str:
    """A Lisp name as an identifier, as far as a rule's spelling is concerned."""
    return name.replace("-", "_").rstrip("?!*+") or name


def _within(name: str, module: str) -> bool:
    return name == module or name.startswith(module + ".")


# ------------------------------------------------------------------------------- Python


def python_contents(source: str, forms: tuple[str, ...]) -> list[Found]:
    """The imports of a Python source, and those of ``forms`` that it contains."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    found: list[Found] = []
    renamed = _renamed(tree) if forms else {}
    for node in ast.walk(tree):
        found += [Found("import", name, _line(node)) for name in _imported(node)]
        if forms:
            names = dict.fromkeys(name for form in _forms(node) for name in (form, _unrenamed(form, renamed)))
            found += [Found("form", name, _line(node)) for name in names if name in forms]
    return found


def _renamed(tree: ast.AST) -> dict[str, str]:
    """What ``import a.b as c`` and ``from a import b as c`` call otherwise than it is called where it is."""
    found = {}
    for node in ast.walk(tree):
        match node:
            case ast.Import():
                found |= {alias.asname: alias.name for alias in node.names if alias.asname}
            case ast.ImportFrom() if node.module and not node.level:
                found |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return found


def _unrenamed(form: str, renamed: Mapping[str, str]) -> str:
    head, dot, rest = form.partition(".")
    return renamed.get(head, head) + dot + rest


def _line(node: ast.AST) -> int:
    return int(getattr(node, "lineno", 1))


def _imported(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Import():
            yield from (alias.name for alias in node.names)
        case ast.ImportFrom():
            module = "." * node.level + (node.module or "")
            yield from (f"{module}.{alias.name}" if alias.name != "*" else module for alias in node.names)
        case ast.Call() if dotted(node.func) in _IMPORTERS:
            first = node.args[0] if node.args else None
            yield str(first.value) if isinstance(first, ast.Constant) and isinstance(first.value, str) else COMPUTED


def _forms(node: ast.AST) -> Iterator[str]:
    """Every name under which a rule may speak of this node."""
    yield from (word for word, kinds in _KEYWORDS.items() if isinstance(node, kinds))
    match node:
        case ast.Name():
            yield node.id
        case ast.Attribute():
            yield node.attr
            if path := dotted(node):
                yield path
        case ast.ImportFrom():
            yield from (name for alias in node.names for name in (alias.name, f"{node.module}.{alias.name}"))
        case ast.Call() if dotted(node.func) in ("getattr", "hasattr") and len(node.args) > 1:
            if isinstance(node.args[1], ast.Constant) and isinstance(node.args[1].value, str):
                yield node.args[1].value


def dotted(node: ast.AST) -> str:
    """``a.b.c`` as it is written; "" for anything else."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join(reversed([*parts, node.id])) if isinstance(node, ast.Name) else ""
