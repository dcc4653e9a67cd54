"""Repairs of statements: one that is missing, too many, in another place, or of another kind.

Each function yields edits of one block of statements, given the place in it.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence

from ..rewriting.edits import Edit
from ..rewriting.python_tree import Text
from .python_pool import Pool

Block = list[ast.stmt]
_SIMPLE = (ast.Assign, ast.AugAssign, ast.Expr, ast.Return, ast.Continue, ast.Break)
_SIGNS = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.FloorDiv: "//", ast.Mod: "%", ast.BitAnd: "&", ast.BitOr: "|",
    ast.BitXor: "^", ast.LShift: "<<", ast.RShift: ">>", ast.Div: "/",
}  # fmt: skip


def edits_of(text: Text, pool: Pool) -> Iterator[Edit]:
    """Every edit of a function's statements."""
    inserted = list(_material(pool))
    for parent, block in _blocks(pool.function):
        for place, statement in enumerate(block):
            if not text.alone_on_its_lines(statement):
                continue
            yield from _changed(text, pool, statement)
            yield from _moved(text, parent, block, place)
            yield from _inserted(text, pool, block, place, inserted)
    yield from _base_cases(text, pool)


def _blocks(parent: ast.AST) -> Iterator[tuple[ast.AST, Block]]:
    for name in ("body", "orelse", "finalbody"):
        block = getattr(parent, name, None)
        if isinstance(block, list) and block and isinstance(block[0], ast.stmt):
            yield parent, block
            for statement in block:
                yield from _blocks(statement)


def _changed(text: Text, pool: Pool, statement: ast.stmt) -> Iterator[Edit]:
    def other(template: str, new: str) -> Edit:
        return text.rewritten(template, [statement], new, f"{_short(new)}", keeps=False)

    if isinstance(statement, ast.AugAssign):
        yield from _counted(pool, statement, other)
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        yield from _assigned(pool, statement, other)
    if isinstance(statement, ast.Return):
        yield from _returned(pool, statement, other)
    if isinstance(statement, (ast.If, ast.While)) and not statement.orelse:
        kind, new = ("if", "while") if isinstance(statement, ast.If) else ("while", "if")
        shown = ast.unparse(statement)
        yield other("loop", new + shown[len(kind) :])
    if isinstance(statement, (ast.Continue, ast.Break)):
        yield other("loop", "break" if isinstance(statement, ast.Continue) else "continue")
        yield other("loop", "return")
    if isinstance(statement, ast.If) and statement.orelse:
        test = ast.unparse(statement.test)
        made = ast.If(ast.parse(f"not ({test})", mode="eval").body, statement.body, statement.orelse)
        yield other("wrong branch", ast.unparse(ast.fix_missing_locations(made)))


Make = Callable[[str, str], Edit]
"""(template, the statements in the place of this one) -> the edit."""


def _counted(pool: Pool, statement: ast.AugAssign, other: Make) -> Iterator[Edit]:
    target, value = ast.unparse(statement.target), ast.unparse(statement.value)
    own = _SIGNS.get(type(statement.op), "")
    for sign in _SIGNS.values():
        if sign != own:
            yield other("operator", f"{target} {sign}= {value}")
    yield other("assignment", f"{target} = {value}")
    for name in pool.names:
        if name != target:
            yield other("variable", f"{name} {own}= {value}")


def _returned(pool: Pool, statement: ast.Return, other: Make) -> Iterator[Edit]:
    for constant in pool.constants:
        yield other("wrong return", f"return {constant}")
    if statement.value is not None:
        value = ast.unparse(statement.value)
        yield other("wrong return", f"return not ({value})")
        for text_, node in pool.expressions.items():
            if not isinstance(node, (ast.Compare, ast.BoolOp)):
                yield other("missing term", f"return ({value}) + {text_}")
                yield other("missing term", f"return {text_} + ({value})")


def _assigned(pool: Pool, statement: ast.Assign, make: Make) -> Iterator[Edit]:
    target, value = ast.unparse(statement.targets[0]), ast.unparse(statement.value)
    if isinstance(statement.targets[0], ast.Tuple):
        return
    for sign in ("+", "-", "*", "//", "|", "&"):
        yield make("assignment", f"{target} {sign}= {value}")
    for name in pool.names:
        if name != target:
            yield make("variable", f"{name} = {value}")
            if isinstance(statement.targets[0], ast.Name):
                yield make("missing part", f"{target} = {name} = {value}")
    if isinstance(statement.targets[0], ast.Subscript):
        for index in pool.indices:
            yield make("index", f"{ast.unparse(statement.targets[0].value)}[{index}] = {value}")


def _moved(text: Text, parent: ast.AST, block: Block, place: int) -> Iterator[Edit]:
    statement = block[place]
    empty = "pass" if len(block) == 1 else ""
    yield text.rewritten("delete", [statement], empty or "pass", "without it", keeps=False)
    if place + 1 < len(block):
        after = block[place + 1]
        yield text.rewritten("order", [statement, after], [after, statement], "the other order", keeps=False)
        if isinstance(statement, (ast.For, ast.While, ast.If)) and isinstance(after, _SIMPLE):
            made = _with_body(statement, [*statement.body, after])
            yield text.rewritten("into the block", [statement, after], [made], "one block deeper", keeps=False)
    if isinstance(statement, (ast.For, ast.While, ast.If)) and len(statement.body) > 1:
        made, last = _with_body(statement, statement.body[:-1]), statement.body[-1]
        yield text.rewritten("out of the block", [statement], [made, last], "one block less deep", keeps=False)
    if isinstance(statement, ast.If) and not statement.orelse and place + 1 < len(block):
        rest = block[place + 1 :]
        made = ast.If(statement.test, statement.body, rest)
        yield text.rewritten("missing else", [statement, *rest], [made], "what follows as its else", keeps=False)
    if isinstance(statement, ast.If) and statement.orelse:
        made = ast.If(statement.test, statement.body, [])
        yield text.rewritten(
            "missing else", [statement], [made, *statement.orelse], "its else in any case", keeps=False
        )
        yield text.rewritten("delete", [statement], statement.body, "without the condition", keeps=False)
    elif isinstance(statement, ast.If):
        yield text.rewritten("delete", [statement], statement.body, "without the condition", keeps=False)


def _with_body(statement: ast.stmt, body: Sequence[ast.stmt]) -> ast.stmt:
    if isinstance(statement, ast.If):
        return ast.If(statement.test, list(body), statement.orelse)
    if isinstance(statement, ast.While):
        return ast.While(statement.test, list(body), statement.orelse)
    assert isinstance(statement, ast.For), "a block has a condition or a loop"
    return ast.For(statement.target, statement.iter, list(body), statement.orelse)


def _inserted(text: Text, pool: Pool, block: Block, place: int, material: Sequence[tuple[str, str]]) -> Iterator[Edit]:
    """Other statements before this one, and after the last one of the block."""
    statement = block[place]
    if isinstance(statement, ast.FunctionDef):
        return
    own = text.source_of(statement)
    for template, new in material:
        yield text.rewritten(template, [statement], f"{new}\n{own}", _short(new), keeps=False)
        if place + 1 == len(block) and not isinstance(statement, (ast.Return, ast.Continue, ast.Break)):
            yield text.rewritten(template, [statement], f"{own}\n{new}", _short(new), keeps=False)
    if not isinstance(statement, (ast.Return, ast.Continue, ast.Break)) or len(block) > 1:
        for condition in pool.conditions[:60]:
            if isinstance(statement, (ast.Expr, ast.Assign, ast.AugAssign, ast.Return)):
                inner = own.replace("\n", "\n    ")
                new = f"if {condition}:\n    {inner}"
                yield text.rewritten("missing guard", [statement], new, f"if {condition}", keeps=False)


def _material(pool: Pool) -> Iterator[tuple[str, str]]:
    """Statements that a text may lack: its own simple ones, and what its variables make likely."""
    seen: set[str] = set()

    def new(template: str, statement: str) -> Iterator[tuple[str, str]]:
        if statement not in seen and len(statement) <= 80:
            seen.add(statement)
            yield template, statement

    own = [node for node in ast.walk(pool.function) if isinstance(node, (ast.Assign, ast.AugAssign, ast.Expr))]
    for node in own:
        if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            yield from new("missing statement", ast.unparse(node))
    for node in own:
        shown = ast.unparse(node)
        for condition in pool.conditions[:24]:
            if not isinstance(node, ast.Assign) and "\n" not in shown:
                yield from new("missing guard", f"if {condition}:\n    {shown}")
    for name, method in pool.filled.items():
        for value in (*pool.expressions, *pool.parameters):
            if value != name and len(value) <= 20:
                yield from new("missing statement", f"{name}.{method}({value})")
    for statement in _settings(pool):
        yield from new("missing statement", statement)
    for guard in _exits(pool):
        yield from new("missing guard", guard)


def _settings(pool: Pool) -> Iterator[str]:
    for name in pool.names:
        yield f"{name} += 1"
        yield f"{name} -= 1"
        for value in ("0", "1", "[]", "''", "None", "False", "True"):
            yield f"{name} = {value}"
        for other in pool.names:
            if other != name:
                yield f"{name} = {other}"


def _exits(pool: Pool) -> Iterator[str]:
    returned = [ast.unparse(node) for node in ast.walk(pool.function) if isinstance(node, ast.Return)]
    ends = list(dict.fromkeys((*returned, "return None")))
    if any(isinstance(node, (ast.For, ast.While)) for node in ast.walk(pool.function)):
        ends += ["continue", "break"]
    for condition in pool.conditions[:80]:
        for end in ends:
            if "\n" not in end:
                yield f"if {condition}:\n    {end}"


def _base_cases(text: Text, pool: Pool) -> Iterator[Edit]:
    """What is answered at once, before all else."""
    body = pool.function.body
    first = (
        body[1] if isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant) and body[1:] else body[0]
    )
    own = text.source_of(first)
    for name in pool.parameters:
        for condition in (
            f"not {name}",
            f"{name} is None",
            f"{name} == 0",
            f"{name} == 1",
            f"{name} < 0",
            f"len({name}) <= 1",
        ):
            for value in dict.fromkeys((*pool.constants, *pool.parameters, "'0'", "[1]", "float('inf')")):
                new = f"if {condition}:\n    return {value}"
                yield text.rewritten("missing base case", [first], f"{new}\n{own}", _short(new), keeps=False)


def _short(text: str) -> str:
    return " ".join(text.split())[:80]
