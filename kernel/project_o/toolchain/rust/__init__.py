"""Rust: from a cell to a library of the shim ABI, with bare ``rustc``.

    places.py       where the compiler is, and which one
    source.py       the public functions and structs of a cell, through tree-sitter: names and the text of types
    shim.py         the code around them; the compiler resolves the types there, through the traits of ``lib.rs``
    recipe.py       what is compiled, how, and the key that names the result
    build.py        one compilation, and a second one without what the compiler refused in our own code
    diagnostics.py  the compiler's words at the cell's own lines
    testing.py      the ``#[test]`` functions of a cell

The ``.rs`` files here are the crate ``o``: what a cell may use, and what all shims share. It is compiled once.
"""
