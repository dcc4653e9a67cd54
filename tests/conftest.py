"""What all tests share: a skip for what a user may lack, which a run can demand not to happen."""

import contextlib
import faulthandler
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ORDINARY_USER = 65534
RERUNS = 2
END_SECONDS_MAX = 120
ALONE = "PROJECT_O_TEST_ALONE"

# No example has a deadline: a machine that pauses is no fault of what is tested. A run that demands everything tries
# the same examples each time, any other run new ones.
settings.register_profile(
    "project-o",
    deadline=None,
    derandomize="PROJECT_O_REQUIRE" in os.environ,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("project-o")


def pytest_collection_modifyitems(items):
    """A test marked ``measured`` is run up to twice more before it has failed. Who may be so: CONTRIBUTING, "Tests"."""
    for item in items:
        if item.get_closest_marker("measured"):
            item.add_marker(pytest.mark.flaky(reruns=RERUNS))


def pytest_unconfigure():
    """What a failed test left behind may be waited for at the end, for ever: that is shown then, and it ends."""
    faulthandler.dump_traceback_later(END_SECONDS_MAX, exit=True)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem):
    """A test marked ``alone`` is run in a process of its own: what others hold open here is none of its business."""
    if pyfuncitem.get_closest_marker("alone") is None or ALONE in os.environ:
        return None
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", pyfuncitem.nodeid]
    answer = subprocess.run(
        command,
        cwd=pyfuncitem.config.rootpath,
        env={**os.environ, ALONE: "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return True


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
def own_cache():
    """``own_cache(folder)``: a cache with no build in it; what the compiler knows of its own library is a copy of ours.

    As in use, where that is compiled once for all builds and not once for each test.
    """
    from project_o.toolchain import cache

    kept = cache.compiler_cache()

    def made(folder):
        for part in ("h", "o", "z"):  # what it compiled, and by which hashes it finds that
            with contextlib.suppress(OSError):  # what is not there, or goes meanwhile, is compiled again
                shutil.copytree(kept / part, Path(folder) / kept.name / part)
        return str(folder)

    return made


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
