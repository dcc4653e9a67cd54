"""The built JupyterLab extension is committed: it must be that of the sources, and be what an installation ships."""

from __future__ import annotations

import hashlib
import json
import tomllib

BUILD = "build it again: cd extension && npm ci && npm run build"


def test_the_bundle_was_built_from_these_sources(root):
    extension, bundle = root / "extension", root / "kernel" / "project_o" / "labextension"
    names = ["package.json", "package-lock.json", "tsconfig.json"]
    names += [f"src/{path.name}" for path in (extension / "src").iterdir()]
    expected = "".join(
        f"{hashlib.sha256((extension / name).read_bytes()).hexdigest()}  {name}\n" for name in sorted(names)
    )

    assert (bundle / "sources.sha256").read_text() == expected, BUILD


def test_the_bundle_is_whole_and_ships(root):
    bundle = root / "kernel" / "project_o" / "labextension"
    package = json.loads((bundle / "package.json").read_text())
    project = tomllib.loads((root / "pyproject.toml").read_text())
    shared = project["tool"]["hatch"]["build"]["targets"]["wheel"]["shared-data"]

    assert (bundle / package["jupyterlab"]["_build"]["load"]).is_file(), BUILD
    assert shared["kernel/project_o/labextension"] == f"share/jupyter/labextensions/{package['name']}"


def test_the_lock_file_names_no_download_address(root):
    lock = json.loads((root / "extension" / "package-lock.json").read_text())

    assert lock["packages"]
    assert [name for name, entry in lock["packages"].items() if "resolved" in entry] == []


def test_both_ends_speak_the_protocol_that_is_specified(root):
    from project_o.channel import PROTOCOL, TARGET

    page = (root / "extension" / "src" / "channel.ts").read_text()
    text = (root / "extension" / "PROTOCOL.md").read_text()

    assert f"export const PROTOCOL = {PROTOCOL};" in page
    assert f"const TARGET = '{TARGET}';" in page
    assert text.startswith(f"# The channel between JupyterLab and a kernel, protocol {PROTOCOL}\n")
