"""Data that many jobs share: sealed, mapped privately, and nothing else of the kernel's."""

import json
import os

import numpy as np
import pytest

from project_o import Sandbox, limits
from project_o.errors import SandboxError
from project_o.sandbox import Snapshot

NOTHING = {"modules": [], "names": [], "sources": [], "aliases": [], "values": [0, 0], "name": "f", "first_line": 1}


def test_it_holds_what_it_was_given_and_nobody_can_change_it():
    snapshot = Snapshot([b"abc", np.arange(3.0)])
    assert snapshot.offsets == [0, 64]
    assert os.pread(snapshot.fd, 3, 0) == b"abc"
    assert np.frombuffer(os.pread(snapshot.fd, 24, 64)).tolist() == [0.0, 1.0, 2.0]
    for attempt in (
        lambda: os.pwrite(snapshot.fd, b"x", 0),
        lambda: os.ftruncate(snapshot.fd, 0),
        lambda: os.ftruncate(snapshot.fd, 1 << 20),
    ):
        with pytest.raises(PermissionError):
            attempt()
    snapshot.close()
    snapshot.close()


def test_its_digest_is_that_of_the_content():
    digests = [Snapshot(parts).digest for parts in ([b"ab", b"c"], [b"ab", b"c"], [b"a", b"bc"], [b"ab", b"d"], [])]

    assert digests[0] == digests[1]
    assert len(set(digests)) == 4


def test_more_than_can_be_shared_is_refused(monkeypatch):
    monkeypatch.setattr(limits, "SNAPSHOT_BYTES_MAX", 1000)
    with pytest.raises(SandboxError, match="more than the 1,000 bytes"):
        Snapshot([bytes(1001)])


def test_a_job_writes_into_pages_of_its_own_and_holds_no_descriptor_of_it():
    body = json.dumps({"W": {"$array": ["<f8", [100], 0]}}).encode()
    snapshot = Snapshot([np.zeros(100), body])
    text = """
def f(x):
    import os
    W[0] += x
    try:
        os.read(6, 1)
    except OSError as error:
        return W[0], error.errno
"""
    program = {**NOTHING, "text": text, "values": [snapshot.offsets[1], len(body)], "modules": [["os", "os"]]}
    with Sandbox() as box, box.function(program, snapshot) as first, box.function(program, snapshot) as second:
        assert first.ask("f", [5.0]).value == (5.0, 9)
        assert second.ask("f", [1.0]).value == (1.0, 9)
    assert os.pread(snapshot.fd, 8, 0) == bytes(8)


def test_a_function_that_cannot_be_made_fails_the_job_and_says_why():
    with Sandbox() as box, box.function({**NOTHING, "text": "import no_such\ndef f(): return 1"}) as job:
        assert not job.loaded.ok
        assert job.loaded.denied
        assert "(line 1)" in job.loaded.error
        assert job.ask("f").error == job.loaded.error
    with Sandbox() as box, box.function({**NOTHING, "text": "def f():\n    return 1"}) as job:
        assert job.ask("f").value == 1


def test_it_works_in_the_isolate_profile_too():
    with Sandbox(profile="isolate") as box, box.function({**NOTHING, "text": "def f(x): return x"}) as job:
        assert job.ask("f", [3]).value == 3
