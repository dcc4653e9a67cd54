"""What a user does with native cells, in a real kernel."""

import pytest

CELL = """%%zig {options}
/// The dot product.
pub fn dot(a: []const f32, b: []const f32) error{{LengthMismatch}}!f32 {{
    if (a.len != b.len) return error.LengthMismatch;
    var sum: f32 = 0;
    for (a, b) |x, y| sum += x * y;
    return sum * {factor};
}}
pub fn at(a: []const f32, i: usize) f32 {{
    return a[i];
}}
pub fn generic(x: anytype) void {{
    _ = x;
}}
"""


@pytest.fixture(scope="module")
def ready(kernel):
    assert kernel.run("import numpy as np, project_o.toolchain\na = np.arange(4, dtype=np.float32)").status == "ok"
    return kernel


def test_without_a_name_the_functions_land_in_the_namespace_and_the_value_shows_them(ready):
    ran = ready.run(CELL.format(options="", factor=1))

    assert ran.status == "ok", ran.text
    assert ready.value("dot(a, a), at(a, i=3)") == "(14.0, 3.0)"
    assert "dot(a: float32 array, b: float32 array) -> float" in ran.text
    assert "generic" in ran.text
    assert "float32 array" in ran.html
    assert "<script" not in ran.html


def test_running_the_edited_cell_swaps_the_function_under_its_name(ready):
    ready.run(CELL.format(options="", factor=1))
    ready.run("held = dot")
    ran = ready.run(CELL.format(options="", factor=2))

    assert ran.status == "ok", ran.text
    assert ready.value("dot(a, a), held(a, a), held is dot") == "(28.0, 28.0, True)"


def test_with_a_name_only_the_name_is_bound(ready):
    ready.run("%reset_selective -f ^dot$")
    ran = ready.run(CELL.format(options="kernels", factor=1))

    assert ran.status == "ok", ran.text
    assert ready.value("kernels.dot(a, a), 'dot' in globals(), sorted(dir(kernels))") == "(14.0, False, ['at', 'dot'])"


def test_something_else_of_that_name_is_overwritten_with_a_warning(ready):
    ready.run("at = 'mine'")
    ran = ready.run(CELL.format(options="", factor=1))

    assert "at was str and is now native" in ran.text
    hidden = ready.run("%%zig\npub fn sum(a: []const f32) f32 { return a[0]; }")
    assert "hides Python's own sum" in hidden.text
    ready.run("del sum")


def test_without_a_name_the_types_of_the_cell_are_there_too(ready):
    """What an error says to write, `.astype(Body.dtype)`, can be written."""
    cell = (
        "%%zig\npub const Body = struct {{ mass: {kind} }};\npub const Side = enum {{ left, right }};\n"
        "pub fn mass(a: []const Body, side: Side) f64 {{ return if (side == .left) a[0].mass else 0; }}"
    )
    assert ready.run(cell.format(kind="f64")).status == "ok"
    refused = ready.run("mass(np.ones(1), Side.left)")
    assert (
        "convert it with .astype(Body.dtype), where a cell CELL has a name with .astype(CELL.Body.dtype)"
        in refused.error
    )
    assert ready.value("mass(np.ones(1).astype(Body.dtype), Side.left)") == "1.0"

    again = ready.run(cell.format(kind="f32"))
    assert "Warning" not in again.text, "the class of the text before is no variable of the user's"
    assert ready.value("mass(np.ones(1).astype(Body.dtype), Side.left), Body.dtype['mass'].name") == "(1.0, 'float32')"
    ready.run("Body = 1")
    assert "Body was int and is now native" in ready.run(cell.format(kind="f64")).text
    ready.run("del Body, Side, mass")


def test_a_function_that_was_left_out_says_why_where_it_is_called(ready):
    cell = "pub fn f() u8 { return 1; }\npub fn g(a: [][]const u8) void { _ = a; }"
    assert ready.run(f"%%zig partly\n{cell}").status == "ok"
    assert (
        "partly.g cannot be called from Python: parameter 1: [][]const u8: slices hold"
        in ready.run("partly.g([])").error
    )


def test_a_name_that_python_cannot_spell_is_told(ready):
    ran = ready.run("%%zig\npub fn pass(a: i32) i32 { return a + 1; }")

    assert ran.status == "ok", ran.text
    assert "Python cannot spell pass: give the cell a NAME, and ask for it by getattr" in ran.text
    ready.run("%%zig kept\npub fn pass(a: i32) i32 { return a + 1; }")
    assert ready.value("getattr(kept, 'pass')(2)") == "3"


def test_an_error_value_and_a_panic_are_exceptions_that_name_themselves(ready):
    ready.run(CELL.format(options="", factor=1))
    error = ready.run("dot(a, a[:2])")
    panic = ready.run("at(a, 9)")

    assert "NativeResultError" in error.error
    assert "LengthMismatch" in error.error
    assert "NativePanic" in panic.error
    assert "at" in panic.error
    assert "line 10" in panic.error
    assert panic.text.count("File ") <= 1, "of our own frames the call itself at most is shown"
    assert ready.value("at(a, 1)") == "1.0"


def test_the_compilers_error_points_at_the_cells_own_line_and_column(ready):
    ran = ready.run("%%zig\npub fn f() i32 {\n    const x: i32 = true;\n    return x;\n}")

    assert ran.status == "error"
    assert "cell:3:20: error" in ran.text
    assert "const x: i32 = true;" in ran.text
    assert "const x: i32 = " in ran.html


def test_an_isolated_cell_may_die(ready):
    cell = """%%zig frail --isolate
pub fn wild() u8 {
    const p: *volatile u8 = @ptrFromInt(16);
    return p.*;
}
pub fn two() i32 { return 2; }"""
    assert ready.run(cell).status == "ok"
    ran = ready.run("frail.wild()")

    assert "NativeFault" in ran.error
    assert ready.value("frail.two()") == "2"


def test_the_trial_finds_what_lies_one_element_behind_an_array(ready):
    """Without the language's own checks it would be memory of something else, and nobody would know."""
    cell = """%%zig beyond --mode fast
pub fn total(a: []const f32, n: usize) f32 {
    var sum: f32 = 0;
    for (0..n) |i| sum += a.ptr[i];
    return sum;
}
pub fn clear(a: []f32, n: usize) void {
    for (0..n) |i| a.ptr[i] = 0;
}"""
    assert ready.run(cell).status == "ok"
    read = ready.run("beyond.total(np.ones(5, np.float32), 6)")
    ready.run("kept = np.ones(8, np.float32)")
    written = ready.run("beyond.clear(kept[:5], 6)")

    for ran, function in ((read, "total"), (written, "clear")):
        assert "NativeFault" in ran.error
        assert f"{function}, line " in ran.error
        assert "right behind the end of a" in ran.error
        assert "this one and its variables are untouched" in ran.error
    assert ready.value("kept.tolist()") == str([1.0] * 8)
    assert ready.value("beyond.total(np.ones(5, np.float32), 5)") == "5.0"


def test_the_cache_is_shown_and_emptied(ready):
    ready.run(CELL.format(options="", factor=1))
    assert ready.value("dot(a, a)") == "14.0"
    shown = ready.run("%o cache")
    assert "build cache" in shown.text
    assert "folder" in shown.text
    assert "bytes" in shown.text
    used = int(ready.value("project_o.toolchain.used_bytes()"))
    assert used > 10_000
    assert ready.run("%o cache --clear").status == "ok"
    assert int(ready.value("project_o.toolchain.used_bytes()")) < used
    assert ready.value("dot(a, a)") == "14.0", "what is loaded goes on"
    assert ready.run(CELL.format(options="", factor=1)).status == "ok"
    assert ready.value("dot(a, a)") == "14.0"


def test_ctrl_c_ends_an_endless_loop_of_a_cell(ready):
    ready.run("%%zig spin\npub fn forever(a: []f32) void {\n    while (true) a[0] += 1;\n}")
    ran = ready.run(
        "import os, signal, threading\n"
        "threading.Timer(4, os.kill, (os.getpid(), signal.SIGINT)).start()\n"
        "spin.forever(np.ones(1, np.float32))"
    )

    assert ran.error.startswith("KeyboardInterrupt"), ran.text
    assert ready.value("at(a, 2)") == "2.0"


def test_zig_test_blocks_run_on_request(ready):
    good = ready.run('%%zig --test\npub fn one() i32 { return 1; }\ntest "one" { if (one() != 1) return error.Wrong; }')
    bad = ready.run('%%zig --test\npub fn one() i32 { return 2; }\ntest "one" { if (one() != 1) return error.Wrong; }')

    assert good.status == "ok", good.text
    assert bad.status == "error"
    assert "one" in bad.error
    assert "cell:3:" in bad.text  # also where the kernel asks programs for colours


def test_the_magics_help_shows_its_options(ready):
    ran = ready.client.execute_interactive  # the pager answers in the reply, not in an output
    reply = ran("%%zig?", timeout=60, output_hook=lambda _: None)["content"]
    text = reply["payload"][0]["data"]["text/plain"]

    for part in ("--isolate", "--mode", "pub fn", "[]const T", "o.View(T, n)", "enum.IntEnum", "docs/native.md"):
        assert part in text


def test_it_loads_in_the_stock_kernel_twice_and_unloads(start_kernel, tmp_path):
    stock = start_kernel(tmp_path, module="ipykernel_launcher")
    assert stock.run("%load_ext project_o").outputs == []
    assert stock.run("%reload_ext project_o\n%load_ext project_o").status == "ok"
    assert stock.run("%%zig\npub fn one() i32 { return 1; }").status == "ok"
    assert stock.value("one()") == "1"
    assert stock.run("%unload_ext project_o").status == "ok"
    assert "not found" in stock.run("%%zig\npub fn one() i32 { return 1; }").text
    assert stock.value("one()") == "1"


def test_annotate_shows_the_assembly_beside_the_source(kernel):
    ran = kernel.run(
        "%%zig annotated --annotate\n"
        "pub fn total(a: []const f32) f32 {\n"
        "    var sum: f32 = 0;\n"
        "    for (a) |x| sum += x;\n"
        "    return sum;\n"
        "}"
    )
    assert ran.status == "ok", ran.text
    assert "assembly beside the source" in ran.text
    assert "4 |     for (a) |x| sum += x;" in ran.text
    assert "<pre" in ran.html
    assert kernel.run("annotated.total([1, 2])").text == "3.0"


def test_a_cell_that_imports_another_follows_it_and_says_where_it_cannot(kernel):
    kernel.run("%%zig base\npub fn square(x: f64) f64 { return x * x; }")
    early = kernel.run('%%zig late\nconst n = @import("nowhere");\npub fn f() void { _ = n; }')
    assert early.status == "error"
    assert "cell:2:20: error: there is no cell nowhere: run `%%zig nowhere` before" in early.text
    assert "<u " in early.html

    user = '%%zig user\nconst base = @import("base");\npub fn area(x: f64) f64 { return 3 * base.square(x); }'
    assert kernel.run(user).status == "ok"
    assert kernel.run("user.area(2)").text == "12.0"
    assert kernel.run("%%zig base\npub fn square(x: f64) f64 { return x * x * x; }").status == "ok"
    assert kernel.run("user.area(2)").text == "24.0"
    assert "built again with the new text of base" in kernel.run("user").text
    told = kernel.run("%%zig base\npub fn cube(x: f64) f64 { return x; }")
    assert "cell:1: UserWarning: user goes on with the earlier text of base" in told.text
    assert kernel.run("user.area(2)").text == "24.0"


def test_a_call_may_have_a_time_limit(ready):
    ran = ready.run(
        "%%zig late --timeout 300ms --no-trial\npub fn spin(on: bool) void {\n    var n: u32 = 1;\n"
        "    while (on) @as(*volatile u32, &n).* |= 1;\n}\n"
    )
    assert ran.status == "ok", ran.text
    ran = ready.run("late.spin(True)")

    assert "NativeFault" in ran.error
    assert "spin, line 4: it took longer than the 0.3 s of its --timeout" in ran.error
    assert ready.value("late.spin(False) is None") == "True"
