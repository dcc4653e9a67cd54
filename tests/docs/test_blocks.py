"""What the README and the tutorial show works when it is typed in as it stands, block by block."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from jupyter_client.manager import start_new_kernel

ROOT = Path(__file__).parents[2]
PAGES = {"README.md": ("text", "zig", "python"), "docs/tutorial.md": ("text", "python")}
"""Page -> the fences whose blocks are cells."""

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page):
    text = (ROOT / page).read_text("utf-8")
    return [body for language, body in BLOCK.findall(text) if language in PAGES[page]]


@pytest.mark.parametrize("page", PAGES)
def test_every_block_of_a_page_runs_in_order(page, tmp_path):
    assert len(blocks(page)) > 3
    manager, client = start_new_kernel(kernel_name="python3", cwd=str(tmp_path), startup_timeout=60)
    try:
        for body in blocks(page):
            outputs = []
            reply = client.execute_interactive(body, timeout=120, output_hook=outputs.append, allow_stdin=False)
            told = "\n".join(reply["content"].get("traceback", ()))
            assert reply["content"]["status"] == "ok", f"{page}:\n{body}\n{told}"
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
