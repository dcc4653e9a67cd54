"""Lisp on the sandboxed side. Importing this module warms Hy: a job can read no file, and Hy is many."""

from __future__ import annotations

import linecache
import sys
import types
from typing import Any

import hy
from hy.reader.hy_reader import HyReader

from .function_worker import FILE

_WARMING = """
(import math [sqrt])
(defmacro twice [x] `(+ ~x ~x))
(defn warm [#^ int a [b 2] #* rest]
  "Forms whose compilers Hy loads when they are first used."
  (setv found {"a" [a b] "b" #{1 2}})
  (let [c (twice a)]
    (for [d (range 2)] (when (> d 5) (print f"{d :>3}")))
    (cond (< c 0) (try (/ c 0) (except [ZeroDivisionError] 0))
          True (lfor d rest :if d (.join ", " (map str [c (sqrt d)])))))
)
(warm 3 2 4 9)
"""


def load(source: str, namespace: dict[str, Any]) -> None:
    """Evaluate every form in ``namespace``. Raises whatever it raises; its frames have the source's lines."""
    name = str(namespace["__name__"])
    module = sys.modules.setdefault(name, types.ModuleType(name))
    linecache.cache[FILE] = (len(source), None, source.splitlines(keepends=True), FILE)
    for form in hy.read_many(source, filename=FILE, reader=HyReader(use_current_readers=False)):
        form.filename, form.source = FILE, source  # else the frames say <string>, and no line
        hy.eval(form, globals=namespace, module=module)


load(_WARMING, {"__name__": "project_o_warming"})
