"""What all tests share: a skip for what a user may lack, which a run can demand not to happen."""

import os
import sys
from pathlib import Path

import pytest

ORDINARY_USER = 65534


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
