"""The checks of a candidate, one a file, asked as a cascade: cheapest first, until one fails.

    syntax       the language's own parser                       no build
    security     denied forms, imports, calls, unsafe blocks     no build
    types        type errors that the incumbent does not have    no build
    build        the compiler, with its words
    generated    differential tests against the incumbent, shrunk to a minimal counterexample
    tests        the user's own tests
    relations    metamorphic relations that the user declared
    integration  the notebook's later cells, or a scenario, with the candidate in place
    coverage     which lines of its text the tests reached
    performance  paired measurements: the bench's

``seam`` has what they share: ``Check``, ``Subject``, ``Finding`` makers and ``Cascade``. To add a check: a file with a
class as there, and a line in ``checks_of``; the order is that of ``values.CheckStage``, whatever the order here. What
only some runs need is imported where it is wanted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..task import Task
from .build import Build
from .incumbent import must_pass
from .seam import Cascade, Check
from .security import Security
from .syntax import Syntax

if TYPE_CHECKING:
    from .generated import Generated
    from .tests import UserTests


def checks_of(task: Task) -> list[Check]:
    """The checks that candidates of this task must pass."""
    checks: list[Check] = [Syntax(), Security(), Build()]
    asked: list[Generated | UserTests] = []
    if task.typed is not None:
        from .types import Types

        checks.append(Types(task))
    scored = task.evaluator is not None or task.foreign is not None
    if task.repairing:  # its tests are the objective, and agreeing with what serves is no virtue
        return [*checks, *_related(task)]
    if not scored or task.reference is not None:  # else its scores say how good the answers are
        from .generated import Generated

        asked.append(Generated(task))
    if task.tests is not None:
        from .tests import UserTests

        asked.append(UserTests(task))
    if task.covering is not None:
        from .coverage import Coverage

        checks.append(Coverage(task, asked))
    checks += asked
    if task.to:
        from .fuzz import Fuzz

        checks.append(Fuzz())
    checks += _related(task)
    if task.scenario is not None:
        from .integration import Integration

        checks.append(Integration(task))
    return checks


def _related(task: Task) -> list[Check]:
    if not task.relations:
        return []
    from .relations import Relations

    return [Relations(task)]


def cascade_of(task: Task) -> Cascade:
    """The same in order, ready to be asked; from now on whoever judges has to stay as it is (see ``seal``)."""
    task.seal.begin(task)
    return Cascade(checks_of(task))


__all__ = ["Build", "Cascade", "Check", "Security", "Syntax", "cascade_of", "checks_of", "must_pass"]
