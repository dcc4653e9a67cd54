"""Names, releases, rollback, and the ledger that outlives a kernel."""

import threading
from dataclasses import dataclass
from types import SimpleNamespace

import pytest

from project_o.deploy import NativeFunction, NativeModule, Registry
from project_o.errors import DeployError, InterfaceError
from project_o.values import Interface, NativeType, Program
from project_o.values import NativeFunction as Signature

I32 = NativeType("int", bits=32, signed=True)


def program(source: str, name: str = "adder") -> Program:
    return Program(name, "zig", (("cell.zig", source),))


@dataclass
class Version:
    """A version that answers with its own source; what it stands for is tested with real builds elsewhere."""

    program: Program
    functions: tuple[str, ...] = ("add",)

    @property
    def artifact(self):
        functions = tuple(Signature(name, (("a", I32), ("b", I32)), I32, doc="Add.") for name in self.functions)
        return SimpleNamespace(program=self.program, interface=Interface(functions), key=self.program.digest)

    def call(self, name, args):
        if name not in self.functions:
            raise InterfaceError(f"adder has no function {name}")
        return (self.program.source, name, *args)


def opened(release, _cell):
    return Version(release.program)


@pytest.fixture
def registry():
    return Registry(opened)


def test_a_cell_serves_its_name_and_an_edit_swaps_it_under_the_same_object(registry):
    slot, _ = registry.serve_cell(program("one"))
    add = NativeFunction(slot, "add")
    assert add(1, 2) == ("one", "add", 1, 2)

    registry.serve_cell(program("two"))

    assert add(1, b=2) == ("two", "add", 1, 2)


def test_an_unchanged_cell_keeps_the_accepted_version_and_an_edited_one_replaces_it(registry):
    registry.serve_cell(program("cell"))
    registry.accept(program("evolved"))
    registry.serve_cell(program("cell"))
    assert registry.current("adder").digest == program("evolved").digest

    registry.serve_cell(program("edited"))

    assert registry.current("adder").digest == program("edited").digest


def test_rollback_goes_back_and_forth_and_names_what_it_cannot_do(registry):
    registry.serve_cell(program("cell"))
    with pytest.raises(DeployError, match="cannot go back"):
        registry.rollback("adder")
    registry.accept(program("evolved"))

    assert registry.rollback("adder").digest == program("cell").digest
    assert registry.rollback("adder").digest == program("evolved").digest
    with pytest.raises(DeployError, match="nothing serves 'other'"):
        registry.rollback("other")


def test_a_new_kernel_serves_the_accepted_version_when_the_same_cell_is_run(registry):
    registry.serve_cell(program("cell"))
    registry.accept(program("evolved"), state="abc")
    ledger = registry.ledger()["deployments.json"]

    later = Registry(opened)
    later.remember(ledger)
    slot, release = later.serve_cell(program("cell"))

    assert (release.origin, release.state) == ("accepted", "abc")
    assert slot.version.program.source == "evolved"
    assert later.rollback("adder").digest == program("cell").digest


def test_a_new_kernel_serves_the_cell_after_a_rollback_or_an_edit(registry):
    registry.serve_cell(program("cell"))
    registry.accept(program("evolved"))
    registry.rollback("adder")
    later = Registry(opened)
    later.remember(registry.ledger()["deployments.json"])
    assert later.serve_cell(program("cell"))[0].version.program.source == "cell"

    edited = Registry(opened)
    edited.remember(registry.ledger()["deployments.json"])
    assert edited.serve_cell(program("edited"))[0].version.program.source == "edited"


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"format": 1, "names": {"a": [{}]}}', '{"format": 99, "names": {}}'])
def test_a_damaged_ledger_is_one_clear_error_and_changes_nothing(registry, text):
    with pytest.raises(DeployError, match=r"deployments\.json"):
        registry.remember(text)

    assert registry.remembered() == {}


def test_a_failed_build_leaves_what_served(registry):
    registry.serve_cell(program("good"))
    registry._open = lambda *_: (_ for _ in ()).throw(ValueError("does not compile"))
    with pytest.raises(ValueError, match="does not compile"):
        registry.serve_cell(program("bad"))

    assert registry.current("adder").digest == program("good").digest


def test_swaps_under_calling_threads_lose_no_call(registry):
    slot, _ = registry.serve_cell(program("0"))
    add, stop, seen, failed = NativeFunction(slot, "add"), threading.Event(), set(), []

    def call() -> None:
        while not stop.is_set():
            try:
                seen.add(add(1, 2)[0])
            except Exception as error:  # noqa: BLE001 - any failure is one
                failed.append(error)

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for k in range(1, 200):
        registry.serve_cell(program(str(k)))
    stop.set()
    for thread in threads:
        thread.join()
    assert not failed
    assert add(1, 2)[0] == "199"


def test_handles_describe_themselves(registry):
    slot, _ = registry.serve_cell(program("x"))
    module = NativeModule(slot)
    assert list(module) == ["add"]
    assert repr(module.add) == "<zig function add(a: int, b: int) -> int>"
    assert module.add.__doc__ == "Add."
    assert module(1, 2) == ("x", "add", 1, 2)
    with pytest.raises(AttributeError, match="has no function mul"):
        module.mul  # noqa: B018
    with pytest.raises(InterfaceError, match="unexpected keyword"):
        module.add(1, 2, c=2)


def test_a_function_that_a_later_version_no_longer_has_says_so(registry):
    slot, _ = registry.serve_cell(program("x"))
    add = NativeFunction(slot, "add")
    slot.version = Version(program("y"), functions=("plus",))
    with pytest.raises(InterfaceError, match="has no function add"):
        add(1, 2)
    with pytest.raises(DeployError, match="has no function add"):
        add(1, b=2)


def test_a_winner_over_an_older_text_is_not_accepted(registry):
    registry.serve_cell(program("buggy"))
    registry.serve_cell(program("mended"))
    with pytest.raises(DeployError, match="has changed since this run began"):
        registry.accept(program("buggy but fast"), parent=program("buggy").digest)

    assert registry.current("adder").digest == program("mended").digest


def test_a_redacted_text_is_not_served_in_its_place(registry):
    registry.serve_cell(program("const key = 'secret';"))
    later = Registry(opened)
    later.remember(registry.ledger()["deployments.json"].replace("secret", "[redacted]"))

    assert later.remembered() == {}
    assert later.serve_cell(program("const key = 'secret';"))[0].version.program.source == "const key = 'secret';"


def test_an_underscore_begins_a_name_like_any_other_letter(registry):
    slot, _ = registry.serve_cell(program("x"))
    slot.version = Version(program("x"), functions=("_add",))

    assert NativeModule(slot)._add(1, 2) == ("x", "_add", 1, 2)
