"""What a definition does, apart from how it is written: the syntax tree that Lisp and Python both become.

A tool in Lisp and a tool in Python with the same tree, parameters and documentation have one digest. Comments,
layout, annotations (they are in the parameters) and the name do not count.
"""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import warn
from ..lisp.specs import AgentSpec, Later, MemorySpec, ToolSpec, WorkflowSpec
from ..lisp.words import FUNCTIONS
from .tree import one_shape, readable

if TYPE_CHECKING:
    import types

AnySpec = TypeVar("AnySpec", ToolSpec, MemorySpec, AgentSpec, WorkflowSpec)


def with_meaning(spec: AnySpec, module: types.ModuleType | None = None) -> AnySpec:
    """The same tool or agent with ``normal`` as its meaning; as it is where its source is no whole definition."""
    if isinstance(spec, AgentSpec) and spec.body is None:
        # Nothing of the text is meaning: prompt, tools, memory and model are fields of their own.
        return replace(spec, normal=NO_BODY)
    if isinstance(spec, MemorySpec) or not spec.source:
        return spec
    if spec.language == "python":
        found = _of_python(spec.source)
        return replace(spec, normal=found) if found else spec
    # Compiled again when a digest is asked for, with the macros of this moment: most cells never ask.
    macros, plain = dict(getattr(module, "_hy_macros", {})), str(spec.normal)
    return replace(spec, normal=Later(lambda: _of_lisp(spec.source, module, macros) or plain))


NO_BODY = "the model answers"


def _of_python(source: str) -> str:
    try:
        tree = ast.parse(textwrap.dedent(source))
    except SyntaxError:  # a lambda in the middle of a call, and the like
        return ""
    function = next((node for node in tree.body if isinstance(node, ast.FunctionDef)), None)
    constants = [_written(node) for node in tree.body if isinstance(node, (ast.Assign, ast.AnnAssign))]
    return "\n".join([*constants, _dumped(function)])


def _of_lisp(source: str, module: types.ModuleType | None, macros: Mapping[str, Any]) -> str:
    try:
        return _dumped(function_of(source, module, macros))
    except Exception as error:  # noqa: BLE001 - its macros are the user's own; it was accepted as it is
        warn(f"a form cannot be compiled again, so what it does is known by its text alone: {error!r}")
        return ""


def function_of(
    source: str, module: types.ModuleType | None = None, macros: Mapping[str, Any] | None = None
) -> ast.FunctionDef:
    """The Python function that a form of ours compiles to, as a person would write it. Raises what Hy raises.

    ``macros`` come before those that ``module`` has now.
    """
    import hy
    from hy.compiler import hy_compile

    from ..lisp.forms import MACROS
    from ..lisp.workflow_forms import with_steps

    parts = list(hy.read(source))
    # (deftool name [parameters] "doc" :key value ... body...) and (defagent name "doc" :key value ... body...)
    name, rest = parts[1], parts[2:]
    parameters = rest.pop(0) if str(parts[0]) != "defagent" else hy.models.List([])
    if len(rest) > 1 and isinstance(rest[0], hy.models.String):
        rest.pop(0)
    while rest and isinstance(rest[0], hy.models.Keyword):
        del rest[:2]
    if str(parts[0]) == "defworkflow":
        rest = [with_steps(form) for form in rest]
    function = hy.models.Expression([hy.models.Symbol("defn"), name, parameters, *rest])
    where = module.__name__ if module is not None else "__main__"
    tree = hy_compile(
        hy.models.Lazy(iter([function])),
        where,
        root=ast.Module,
        import_stdlib=False,
        extra_macros={**MACROS, **(macros or {})},
    )
    found: ast.FunctionDef = next(node for node in tree.body if isinstance(node, ast.FunctionDef))
    spelled = {hy.mangle(lisp): function.__name__ for lisp, function in FUNCTIONS.items()}
    for node in ast.walk(found):
        if isinstance(node, ast.Name):
            node.id = spelled.get(node.id, node.id)
    return readable(found)


def _dumped(function: ast.FunctionDef | None) -> str:
    """The tree of a function's body, without places and docstring; its parameters' names are fields of the spec."""
    return "\n".join(_written(node) for node in one_shape(function)) if function is not None else ""


def _written(node: Any) -> str:
    """A tree as text, the same for every version of Python: ``ast.dump`` writes empty fields in some and not in others,
    and new versions add fields."""
    if isinstance(node, list):
        return f"[{', '.join(map(_written, node))}]"
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = ((name, value) for name, value in ast.iter_fields(node) if name not in _UNSAID)
    said = ", ".join(f"{name}={_written(value)}" for name, value in fields if value is not None and value != [])
    return f"{type(node).__name__}({said})"


_UNSAID = ("ctx", "kind", "type_comment")
"""Fields that follow from where a node stands, or only say how it was written."""
