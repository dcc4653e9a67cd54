"""What all tests share: a skip for what a user may lack, which a run can demand not to happen."""

import os

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


@pytest.fixture
def ordinary_user():
    """For tests of permissions: the superuser may write everywhere, so the test goes on as somebody else."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(ORDINARY_USER)
    yield
    os.seteuid(0)
