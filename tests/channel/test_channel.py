"""The kernel's end of the channel: the status, the live document in the states, restore, and whatever else is sent."""

import time

import nbformat
import pytest

A, B, M = ("a", "code", "x = 1"), ("b", "code", "y = 2"), ("m", "markdown", "# Title")


def file_cells(kernel):
    book = nbformat.read(kernel.notebook, as_version=4)
    return [(cell.id, cell.cell_type, cell.source) for cell in book.cells]


def wait_for_log(kernel, part):
    until = time.monotonic() + 60
    while part not in kernel.log():
        assert time.monotonic() < until, kernel.log()
        time.sleep(0.05)


def test_a_page_is_greeted_and_told_the_status_after_cells(start, open_page):
    kernel = start()
    page = open_page(kernel)
    assert page.wait("hello")["protocol"] == 1
    assert page.wait("status")["status"]["recording"] is True
    kernel.run("%o off")
    page.until("status", lambda data: data["status"]["recording"] is False)
    kernel.run("%%zig dot\npub fn one() i32 { return 1; }")
    page.until("status", lambda data: [item["name"] for item in data["status"]["serving"]] == ["dot"])
    page.until("status", lambda data: data["status"]["level"].startswith("L"))
    kernel.run("import project_o; project_o.unload_ipython_extension(get_ipython())")
    page.wait("comm_close")


def test_order_markdown_edits_and_deletions_are_in_the_states(start, open_page):
    kernel = start([("a", "x = 1"), ("b", "y = 2"), ("gone", "")])
    page = open_page(kernel)
    kernel.run("x = 1", "a")
    kernel.run("print('kept')", "b")
    assert kernel.state("@~1")[1]["source"] == "file"

    page.show(M, ("b", "code", "print('edited, not run')"), A)
    kernel.run("x = 1", "a")
    cells, facts = kernel.state()
    assert cells == [M, ("b", "code", "print('edited, not run')"), A]
    assert facts["source"] == "live document"
    outputs = "[o['text'] for c in h.cells(h.resolve('@~1')) if c.id == 'b' for o in c.outputs]"
    assert kernel.run(f"print({outputs})") == "['kept\\n']"

    page.show(M, A)
    kernel.run("x = 1", "a")
    page.show(M, A, ("b", "code", "print('kept')"))
    kernel.run("x = 1", "a")
    # A deletion that was undone has its outputs again.
    outputs = outputs.replace("@~1", "@")
    assert kernel.run(f"print({outputs})") == "['kept\\n']"


def test_a_cell_without_a_source_is_as_it_was(start, open_page):
    kernel = start()
    page = open_page(kernel)
    page.show(M, A)
    kernel.run("x = 1", "a")
    page.tell(type="document", path=page.path, cells=[{"id": "a", "type": "code"}, {"id": "m", "type": "markdown"}])
    kernel.run("x = 1", "a")

    assert kernel.state()[0] == [A, M]


def test_restore_keeps_what_was_shown_and_has_the_page_show_the_file(start, open_page):
    kernel = start([("a", "x = 1")])
    page = open_page(kernel)
    page.show(A, M)
    kernel.run("x = 1", "a")
    kernel.run("%o save wanted", "b")
    page.cells = [("m", "markdown", "# Edited, and never sent before"), A]
    said = kernel.run("r = get_ipython().run_line_magic('o', 'restore wanted')\nprint(dict(r))", "b")

    assert "as soon as this cell has ended" in said
    assert page.wait("reload")["text"].startswith("Restored ")
    assert [cell for cell in file_cells(kernel) if cell[0] != "b"] == [A, M]
    shown = kernel.run(
        "h = get_ipython()._project_o_extension.session.history\n"
        "print([(c.id, c.type, c.source) for c in h.cells([s for s in h.states() if s.kind == 'live'][0])])"
    )
    assert shown == str(page.cells)


def test_a_saved_state_holds_what_is_shown_at_that_moment(start, open_page):
    kernel = start([("a", "x = 1")])
    page = open_page(kernel)
    page.show(A, M)
    kernel.run("x = 1", "a")
    page.cells = [("m", "markdown", "# Edited, and never sent before"), A]
    kernel.run("%o save wanted", "b")

    assert [cell for cell in kernel.state("wanted")[0] if cell[0] != "b"] == page.cells


def test_a_page_that_was_too_slow_once_counts_again_when_it_speaks(start, open_page):
    kernel = start([("a", "x = 1")])
    page = open_page(kernel)
    page.show(A, M)
    page.answers = False
    kernel.run("%o save one", "b")
    page.answers = True
    page.show(M, A)
    kernel.run("x = 1", "a")
    page.cells = [A]
    kernel.run("%o save two", "b")

    assert [cell for cell in kernel.state("two")[0] if cell[0] != "b"] == [A]
    page.say("comm_close", data={})
    kernel.run("x = 1", "a")
    assert kernel.run("print(len(get_ipython()._project_o_channel._pages))") == "0"


def test_a_page_that_is_about_to_reload_answers_without_its_document(start, open_page):
    kernel = start([("a", "x = 1")])
    page = open_page(kernel)
    page.show(A, M)
    kernel.run("x = 1", "a")
    page.answers = "moved"
    kernel.run("%o save wanted", "b")

    assert page.wait("ask")["number"] == 1
    assert [cell for cell in kernel.state("wanted")[0] if cell[0] != "b"] == [A, M]
    assert kernel.run("print(len(get_ipython()._project_o_channel._pages))") == "1"


def test_a_panel_waits_for_a_page_that_draws_it_and_no_widget_is_made_for_others(start, open_page):
    kernel = start()
    lab = {"deletedCells": [], "recordTiming": False}
    made = "import sys; print('ipywidgets' in sys.modules)"
    kernel.run("x = 1", "a", **lab)
    kernel.run("%o history", "b", **lab)
    open_page(kernel, protocol=0)
    assert kernel.run(made) == "False"
    assert kernel.panels == []

    page = open_page(kernel)
    page.wait("status")
    page.until_true(lambda: len(kernel.panels) == 1)
    assert kernel.run(made) == "True"
    assert kernel.panels[0]["cell"] == "b", "it stands below its own cell"
    kernel.run("%o history", "c", **lab)
    page.until_true(lambda: len(kernel.panels) == 2)


def test_a_panel_that_waits_is_made_when_a_page_that_was_too_slow_speaks_again(start, open_page):
    kernel = start([("a", "x = 1")])
    page = open_page(kernel)
    page.show(A, M)
    kernel.run("x = 1", "a")
    page.answers = False
    kernel.run("%o save one", "b")
    lab = {"deletedCells": [], "recordTiming": False}
    kernel.run("%o history", "b", **lab)
    assert kernel.panels == []

    page.show(M, A)
    page.until_true(lambda: len(kernel.panels) == 1)


def test_a_page_that_closes_is_not_counted_on_and_the_next_one_finds_the_kernel(start, open_page):
    kernel = start()
    listed = "print([c.target_name for c in get_ipython().kernel.comm_manager.comms.values()].count('project_o'))"
    counted = "print(len(get_ipython()._project_o_channel._pages))"
    assert kernel.run(listed) == "1"
    page = open_page(kernel)
    assert (kernel.run(listed), kernel.run(counted)) == ("2", "1")
    page.say("comm_close", data={})
    page.until_true(lambda: kernel.run(counted) == "0")
    assert kernel.run(listed) == "1"
    kernel.run("import project_o; project_o.unload_ipython_extension(get_ipython())")
    assert kernel.run(listed) == "0"


def test_a_silent_page_delays_a_restore_by_a_bound_only(start, open_page):
    kernel = start([("a", "x = 1")])
    page = open_page(kernel)
    page.show(A, M)
    kernel.run("x = 1", "a")
    page.answers = False
    said = kernel.run("r = get_ipython().run_line_magic('o', 'restore @')\nprint(dict(r))", "b")

    assert "choose Revert" in said
    assert file_cells(kernel) == [A, M]


def test_what_is_off_is_not_lost_when_the_history_is_on_again(start, open_page):
    kernel = start()
    page = open_page(kernel)
    kernel.run("%o off", "a")
    page.show(M, A)
    kernel.run("%o on", "a")
    kernel.run("x = 1", "a")

    assert kernel.state()[0] == [M, A]


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"type": 7},
        {"type": "document"},
        {"type": "document", "cells": [{"id": "a"}]},
        {"type": "document", "cells": [{"id": "", "type": "code", "source": ""}]},
        {"type": "document", "cells": [{"id": "a", "type": "code"}, {"id": "a", "type": "code"}]},
        {"type": "document", "cells": [{"id": "a", "type": "code", "source": 1}]},
        {"type": "document", "cells": [{"id": "a", "type": "code", "source": "x", "metadata": []}]},
        {"type": "document", "cells": [{"id": "a", "type": "code", "source": "x" * 2_000_000}]},
        {"type": "document", "cells": [{"id": str(i), "type": "raw"} for i in range(10_001)]},
    ],
    ids=str,
)
def test_malformed_messages_are_noted_and_change_nothing(kernel_with_page, data):
    kernel, page = kernel_with_page
    if data.get("type") == "document":
        data = {**data, "path": page.path}
    before = kernel.log().count("ignored")
    page.tell(**data)
    until = time.monotonic() + 60
    while kernel.log().count("ignored") == before:
        assert time.monotonic() < until, kernel.log()
        time.sleep(0.02)

    assert kernel.run("print(1 + 1)") == "2"
    assert M in kernel.state()[0]


def test_another_protocol_is_logged_and_its_documents_do_not_count(start, open_page):
    kernel = start([("a", "x = 1")])
    page = open_page(kernel, protocol=99)
    assert page.wait("hello")["protocol"] == 1
    page.show(M, A)
    kernel.run("x = 1", "a")

    assert "speaks protocol 99, this kernel 1" in kernel.log()
    assert kernel.state("@")[1]["source"] == "file"
    assert not [data for _, data in page.heard if data.get("type") == "status"]


def test_a_page_of_another_notebook_is_not_taken_for_ours_and_a_renamed_one_is(start, open_page):
    kernel = start([("a", "x = 1")])
    other, page = open_page(kernel, path="other.ipynb"), open_page(kernel)
    other.show(M)
    wait_for_log(kernel, "other.ipynb")
    page.show(A)
    kernel.run("x = 1", "a")
    assert kernel.state()[0] == [A]

    moved = kernel.notebook.with_name("moved.ipynb")
    kernel.notebook.rename(moved)
    page.tell(type="moved", path="moved.ipynb")
    page.tell(type="status")
    page.wait("status")
    kernel.run("x = 1", "a")
    assert kernel.run("print(get_ipython().run_line_magic('o', 'where')['notebook'])") == str(moved)


def test_without_a_page_nothing_is_sent_and_the_file_is_the_source(start):
    kernel = start([("a", "x = 1"), ("b", "y = 2")])
    kernel.run("x = 1", "a")

    cells, facts = kernel.state()
    assert (cells, facts["source"]) == ([A, B], "file")
