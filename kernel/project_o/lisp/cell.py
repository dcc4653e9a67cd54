"""A cell of Lisp: read, evaluated form by form, its definitions collected, its errors told by the cell's own line.

Hy is loaded by the first call.
"""

from __future__ import annotations

import linecache
import sys
import traceback
import types
from collections.abc import MutableMapping
from typing import Any, Literal

from ..errors import LispError, ProjectOError
from ..limits import LISP_EXPANSIONS_MAX, LISP_MESSAGE_CHARACTERS_MAX
from . import words
from .registry import Specs

Completeness = Literal["complete", "incomplete", "invalid"]


def evaluate(
    source: str,
    module: types.ModuleType | MutableMapping[str, Any],
    filename: str,
    specs: Specs,
    line_offset: int = 0,
) -> Any:
    """The value of the last form. Names of ``module`` are the cell's, both ways; every definition goes to ``specs``.

    ``line_offset`` counts the lines of the notebook's cell above ``source``. Nothing is evaluated unless all can be
    read; then what was evaluated before a failing form stays. Raises LispError with the cell's own line and column;
    what was raised by the code itself is its ``__cause__``, with frames that name the cell's lines.
    """
    import hy

    from . import reading
    from .expansion import ROOM

    where, namespace = _place(module)
    text = "\n" * line_offset + source
    read = reading.read(text, filename)
    namespace[ROOM] = words
    namespace.setdefault("hy", hy)  # else Hy takes it away behind each form, and a quote in a function finds it gone
    for name, function in words.FUNCTIONS.items():
        namespace.setdefault(hy.mangle(name), function)
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    value = None
    with words.collecting(words.Cell(specs, text)) as cell:
        for form in read:
            cell.form = form
            value = _evaluated(form, where, namespace, filename)
            _keep(form, cell)
    return value


def is_complete(source: str) -> Completeness:
    """Whether the text can be evaluated as it is, needs more, or cannot be read at all."""
    from . import reading

    try:
        reading.read(source, "<cell>")
    except reading.UnclosedError:
        return "incomplete"
    except LispError:
        return "invalid"
    return "complete"


class _Macros(dict[str, Any]):
    """Our macros for one form. Hy asks ``in`` before each expansion, so an expansion without end is noticed here."""

    def __init__(self, module: types.ModuleType, macros: dict[str, Any]) -> None:
        super().__init__(macros)
        self._own = getattr(module, "_hy_macros", {})
        self._asked = 0
        self.endless = ""

    def __contains__(self, name: object) -> bool:
        self._asked += 1
        if self._asked > LISP_EXPANSIONS_MAX:
            self.endless = f"macro {name} expands without end: let some expansion of it not use it again"
            raise LispError(self.endless)
        return super().__contains__(name) and name not in self._own


def _evaluated(form: Any, module: types.ModuleType, namespace: MutableMapping[str, Any], filename: str) -> Any:
    import hy

    from .forms import MACROS
    from .reading import seen

    macros = _Macros(module, MACROS)
    try:
        return hy.eval(form, globals=namespace, module=module, macros=macros)
    except Exception as error:
        seen.clear()
        raise _told(error, form, filename, macros.endless) from error


def _told(error: Exception, form: Any, filename: str, endless: str) -> LispError:
    """The error as the cell's: the innermost line of the cell that was running, else where the compiler was."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == filename]
    nearest = _odd_dict(form) if "number of keys as values" in str(error) else _compiled_last(error)
    _trim(error, filename)
    if frames and not (isinstance(error, SyntaxError) and error.filename == filename):
        # Hy counts columns from 1 where Python counts from 0, so they need no correction here.
        line, column = frames[-1].lineno or 0, getattr(frames[-1], "colno", None) or 0
    elif nearest is not None and getattr(error, "lineno", None) in (None, 1):  # 1 is what Hy says where it knows none
        line, column = nearest.start_line, nearest.start_column
    else:
        line = getattr(error, "lineno", None) or getattr(form, "start_line", 0) or 0
        column = getattr(error, "offset", None) or getattr(form, "start_column", 0) or 0
    return LispError(f"line {line}: {endless or _say(error)}", line=line, column=column)


def _compiled_last(error: Exception) -> Any:
    """The innermost form with a place that Hy was compiling or expanding when it failed; None where it was at none."""
    found, at = None, error.__traceback__
    while at is not None:
        if at.tb_frame.f_code.co_name in ("compile_atom", "macroexpand"):
            values = at.tb_frame.f_locals
            form = values.get("atom", values.get("tree"))
            found = form if hasattr(form, "_start_line") else found
        at = at.tb_next
    return found


def _odd_dict(form: Any) -> Any:
    """The first ``{...}`` in a form that has a key without a value: Python's compiler refuses it, and knows no line."""
    import hy

    if isinstance(form, hy.models.Dict) and len(form) % 2:
        return form
    parts = form if isinstance(form, hy.models.Sequence) else ()
    return next((found for part in parts if (found := _odd_dict(part)) is not None), None)


def _say(error: Exception) -> str:
    if "maximum recursion depth" in str(error):
        text = "a function or a macro calls itself without end, or forms are nested too deep"
    elif isinstance(error, ProjectOError):
        text = str(error)
    elif isinstance(error, SyntaxError) or type(error).__module__.startswith("hy."):
        text = " ".join(str(getattr(error, "msg", error)).split())
    else:
        text = f"{type(error).__name__}: {error}"
    return text if len(text) <= LISP_MESSAGE_CHARACTERS_MAX else text[:LISP_MESSAGE_CHARACTERS_MAX] + "…"


def _trim(error: Exception, filename: str) -> None:
    """Frames of ours above the cell's first one tell the user nothing."""
    frame = error.__traceback__
    while frame is not None and frame.tb_frame.f_code.co_filename != filename:
        frame = frame.tb_next
    if frame is not None:
        error.__traceback__ = frame


def _keep(form: Any, cell: words.Cell) -> None:
    """Note a top-level definition that is no spec: an agent that uses it takes its text into the sandbox."""
    from .expansion import defined_by, text_of

    for name in defined_by(form):
        cell.specs.helpers.pop(name, None)  # so that the order is that of the last definitions
        cell.specs.helpers[name] = text_of(form, cell.text)


def _place(module: types.ModuleType | MutableMapping[str, Any]) -> tuple[types.ModuleType, MutableMapping[str, Any]]:
    """A module that Python knows, for the macros, and the namespace. Without one Hy looks macros up elsewhere."""
    if isinstance(module, types.ModuleType):
        sys.modules.setdefault(module.__name__, module)
        return module, vars(module)
    known = sys.modules.get(str(module.get("__name__")))
    if known is not None and vars(known) is module:
        return known, module
    name = f"project_o_lisp_{id(module):x}"
    module["__name__"] = name
    made = sys.modules.setdefault(name, types.ModuleType(name))
    return made, module
