"""What all tests share: a skip for what a user may lack, which a run can demand not to happen."""

import os
import sys
from pathlib import Path

import pytest

ORDINARY_USER = 65534
RERUNS = 2
TESTS = Path(__file__).parent
ALONE = ("benchmarks", "evolution", "notebooks", "runtimes", "sandbox")
"""What takes the whole machine, or measures: it is run with nothing beside it."""
KERNELS = (
    "browser", "channel", "docs/test_blocks.py", "history/test_history_capture.py", "kernel", "magics",
    "models/test_model_interrupt.py", "test_cli.py", "test_cli_evolve.py", "test_cli_history.py",
)  # fmt: skip
"""What starts kernels, one after another: two that start at once in two processes may be given the same port."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Who runs beside whom, and who is run again. Files stay whole: their fixtures are made once."""
    for item in items:
        place = item.path.relative_to(TESTS).as_posix() if item.path.is_relative_to(TESTS) else item.path.name
        item.add_marker(pytest.mark.xdist_group("kernels" if place.startswith(KERNELS) else place))
        if place.startswith(ALONE):
            item.add_marker(pytest.mark.alone)
        if item.get_closest_marker("measured"):  # who may be so: CONTRIBUTING, "Tests"
            item.add_marker(pytest.mark.flaky(reruns=RERUNS))


@pytest.fixture(scope="session")
def accepted_soon():
    """``accepted_soon(propose)``: the first verdict of three that accepts, or the last.

    For a text that is faster beyond doubt, which a neighbour's load may hide once.
    """

    def judged(propose):
        for _ in range(1 + RERUNS):
            verdict = propose()
            if verdict.accepted:
                break
        return verdict

    return judged


@pytest.fixture(scope="session")
def lacking():
    """``lacking("gcc", why)`` skips with a reason, unless PROJECT_O_REQUIRE lists the word: then it fails."""

    def say(what, why):
        if what in os.environ.get("PROJECT_O_REQUIRE", "").split(","):
            pytest.fail(f"{what} is required here: {why}")
        pytest.skip(f"{why} (PROJECT_O_REQUIRE={what} makes this a failure)")

    return say


@pytest.fixture(scope="session")
def standin():
    """A server on loopback that stands in for language models: see ``tests/models/standin.py``."""
    sys.path.insert(0, str(Path(__file__).parent / "models"))
    from standin import StandIn

    with StandIn() as server:
        yield server


@pytest.fixture
def ordinary_user():
    """For tests of permissions: the superuser may write everywhere, so the test goes on as somebody else."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(ORDINARY_USER)
    yield
    os.seteuid(0)
