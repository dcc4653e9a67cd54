"""What a Python function is made of: names, numbers, expressions and conditions that a repair may use elsewhere."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

EXPRESSION_NODES_MAX = 14
"""Of what is moved to another place. A context (``Load``) counts as a node."""
CONTAINERS = {"append": "list", "extend": "list", "add": "set", "update": "set", "insert": "list"}


@dataclass(frozen=True)
class Site:
    """An expression of a function, what it is a part of, and as which field."""

    node: ast.expr
    parent: ast.AST
    field: str


@dataclass(frozen=True)
class Pool:
    """The material of one function."""

    function: ast.FunctionDef

    @cached_property
    def sites(self) -> tuple[Site, ...]:
        """Every expression that is read, in the text's order. What stands in an f-string has no place of its own."""
        return tuple(self.sites_in(self.function))

    def sites_in(self, parent: ast.AST) -> Iterator[Site]:
        """Those below a node."""
        for name, value in ast.iter_fields(parent):
            if name in ("args", "decorator_list", "returns", "annotation") and isinstance(parent, ast.FunctionDef):
                continue
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.expr) and isinstance(getattr(child, "ctx", ast.Load()), ast.Load):
                    yield Site(child, parent, name)
                if isinstance(child, ast.AST) and not isinstance(child, ast.JoinedStr):
                    yield from self.sites_in(child)

    @cached_property
    def parameters(self) -> tuple[str, ...]:
        """The names of its arguments."""
        found = self.function.args
        return tuple(item.arg for item in (*found.posonlyargs, *found.args, *found.kwonlyargs))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Its variables: the parameters first."""
        bound = [
            node.id
            for node in ast.walk(self.function)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        ]
        return tuple(dict.fromkeys((*self.parameters, *bound)))

    @cached_property
    def callees(self) -> tuple[str, ...]:
        """The plain names that it calls."""
        calls = (node.func for node in ast.walk(self.function) if isinstance(node, ast.Call))
        return tuple(dict.fromkeys(node.id for node in calls if isinstance(node, ast.Name)))

    @cached_property
    def numbers(self) -> tuple[int, ...]:
        """Its whole numbers, and the smallest ones."""
        values = (node.value for node in ast.walk(self.function) if isinstance(node, ast.Constant))
        return tuple(dict.fromkeys((0, 1, *(value for value in values if type(value) is int))))

    @cached_property
    def constants(self) -> tuple[str, ...]:
        """What values begin with, as text: its own constants, and the empty and neutral ones."""
        own = [
            ast.unparse(node)
            for node in ast.walk(self.function)
            if isinstance(node, ast.Constant) and node.value is not Ellipsis and len(str(node.value)) < 24
        ]
        usual = ["0", "1", "-1", "None", "True", "False", "[]", "''", "[[]]", "set()", "{}"]
        return tuple(dict.fromkeys((*own, *usual)))

    @cached_property
    def expressions(self) -> dict[str, ast.expr]:
        """Small expressions by their text, the shorter ones first."""
        found: dict[str, ast.expr] = {}
        for site in self.sites:
            node = site.node
            if isinstance(node, (ast.Constant, ast.Slice, ast.Starred, ast.GeneratorExp)) or _is_callee(site):
                continue
            if sum(1 for _ in ast.walk(node)) <= EXPRESSION_NODES_MAX:
                found.setdefault(ast.unparse(node), node)
        for name in self.names:
            found.setdefault(name, ast.Name(name, ast.Load()))
        return dict(sorted(found.items(), key=lambda item: len(item[0])))

    @cached_property
    def conditions(self) -> tuple[str, ...]:
        """What is asked in it, each also denied; and what one usually asks of its variables."""
        asked: list[str] = []
        for site in self.sites:
            node = site.node
            if isinstance(node, ast.Compare) or site.field == "test" or isinstance(site.parent, ast.BoolOp):
                text = ast.unparse(node)
                if len(text) <= 60 and not isinstance(node, ast.BoolOp):
                    asked += [text, denied(node)]
        if any(isinstance(node, ast.Constant) and node.value is None for node in ast.walk(self.function)):
            looked_up = [text for text, node in self.expressions.items() if isinstance(node, ast.Subscript)]
            asked += [f"{text} is not None" for text in looked_up[:8]]
        for name in self.names:
            asked += [name, f"not {name}", f"{name} is not None"]
        lengths = [text for text in self.expressions if text.startswith("len(")] + [
            f"len({name})" for name in self.parameters
        ]
        indices = [*self.names, *(text for text in self.indices if text not in self.names)]
        asked += [f"{index} < {length}" for length in dict.fromkeys(lengths) for index in indices]
        asked += [f"{index} {sign}" for index in indices for sign in ("> 0", ">= 0", "== 0", "!= 0")]
        return tuple(dict.fromkeys(asked))

    @cached_property
    def indices(self) -> tuple[str, ...]:
        """What it subscripts by."""
        found = [
            ast.unparse(site.node)
            for site in self.sites
            if site.field == "slice" and not isinstance(site.node, (ast.Slice, ast.Tuple, ast.Constant))
        ]
        return tuple(dict.fromkeys(found))

    @cached_property
    def filled(self) -> dict[str, str]:
        """Its containers: the name, and the method that puts something in."""
        found: dict[str, str] = {}
        for node in ast.walk(self.function):
            if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
                kind = ast.unparse(node.value)
                name = node.targets[0].id
                if kind.startswith(("[", "list(")):
                    found.setdefault(name, "append")
                elif kind.startswith(("set(", "{")) and ":" not in kind and kind != "{}":
                    found.setdefault(name, "add")
                elif kind.startswith("deque("):
                    found.setdefault(name, "append")
        return found


def _is_callee(site: Site) -> bool:
    return isinstance(site.parent, ast.Call) and site.field == "func"


def denied(node: ast.expr) -> str:
    """The text of a condition that holds where this one does not."""
    opposite = {
        ast.Lt: ">=", ast.GtE: "<", ast.Gt: "<=", ast.LtE: ">", ast.Eq: "!=", ast.NotEq: "==",
        ast.In: "not in", ast.NotIn: "in", ast.Is: "is not", ast.IsNot: "is",
    }  # fmt: skip
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        sign = opposite[type(node.ops[0])]
        return f"{ast.unparse(node.left)} {sign} {ast.unparse(node.comparators[0])}"
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return ast.unparse(node.operand)
    text = ast.unparse(node)
    return f"not {text}" if isinstance(node, (ast.Name, ast.Call, ast.Attribute, ast.Subscript)) else f"not ({text})"


def text_of(node: ast.AST) -> str:
    """A piece that may be made up, as text."""
    return ast.unparse(ast.fix_missing_locations(node))


def bracketed(node: ast.expr) -> str:
    """The same, in brackets where it is not one thing."""
    text = text_of(node)
    plain = isinstance(node, (ast.Name, ast.Constant, ast.Call, ast.Subscript, ast.Attribute, ast.List))
    return text if plain else f"({text})"
