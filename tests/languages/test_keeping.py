"""What a text keeps between two calls is noticed, in whatever it stands; what it does not keep is not."""

import pytest

from project_o.languages import keeps


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("var n: i64 = 0;\npub fn f() void {}\n", "a variable of its own in line 1"),
        ("pub fn f() void {}\nthreadlocal var n: i64 = 0;\n", "a variable of its own in line 2"),
        ("const S = struct {\n    var n: u8 = 0;\n};\npub fn f() void {}\n", "a variable of its own in line 2"),
        ("pub fn f() u8 {\n    const S = struct { var n: u8 = 0; };\n    return S.n;\n}\n", "of its own in line 2"),
        ("fn G(T: type) type {\n    return struct {\n        var n: T = 0;\n    };\n}\n", "of its own in line 3"),
        ("extern fn getpid() c_int;\npub fn f() c_int { return getpid(); }\n", "not its own in line 1"),
        ("pub fn f(p: *u8) usize {\n    return @intFromPtr(p);\n}\n", "a number of an address in line 2"),
        ('const std = @import("std");\npub fn f() !void {\n    _ = try std.Thread.spawn(.{}, g, .{});\n}\n', "threads"),
        ("pub fn f(a: *const A) void {\n    std.posix.sigaction(.USR1, a, null);\n}\n", "a handler in line 2"),
        ("pub fn f( void {}\n", "it cannot be read"),
    ],
)
def test_zig_that_keeps_something(source, why):
    assert why in keeps("zig", source)


@pytest.mark.parametrize(
    "source",
    [
        "const n: i64 = 0;\npub fn f() i64 {\n    var m: i64 = n;\n    m += 1;\n    return m;\n}\n",
        "const table = blk: {\n    var all: [4]u8 = undefined;\n    all[0] = 1;\n    break :blk all;\n};\n",
        "comptime {\n    var n: u8 = 0;\n    n += 1;\n}\npub fn f() void {}\n",
        'pub fn f() []const u8 {\n    return "var n: i64 = 0; @intFromPtr"; // extern var\n}\n',
        "pub fn f(a: []u8) void {\n    for (a) |*x| {\n        comptime var k = 1;\n        x.* += k;\n    }\n}\n",
    ],
)
def test_zig_that_keeps_nothing(source):
    assert keeps("zig", source) == ""


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("static mut N: i64 = 0;\npub fn f() {}\n", "a static in line 1"),
        (
            "pub fn f() -> u64 {\n    static N: AtomicU64 = AtomicU64::new(0);\n    N.fetch_add(1, R)\n}\n",
            "static in line 2",
        ),
        ("thread_local! { static N: Cell<u8> = Cell::new(0); }\npub fn f() {}\n", "each thread"),
        ("pub fn f(a: &[u8]) -> u8 { unsafe { *a.as_ptr() } }\n", "unsafe"),
        ("pub fn f() { std::thread::spawn(|| {}); }\n", "threads"),
        ("pub fn f() -> usize { Box::into_raw(Box::new(1)) as usize }\n", "address"),
        ("pub fn f( {}\n", "it cannot be read"),
    ],
)
def test_rust_that_keeps_something(source, why):
    assert why in keeps("rust", source)


@pytest.mark.parametrize(
    "source",
    [
        'const NAME: &\'static str = "static mut N";\npub fn f() -> String { NAME.to_string() }\n',
        "fn g<T: 'static>(a: T) -> T { a }\npub fn f(a: u8) -> u8 { let mut b = a; b += 1; g(b) } // unsafe\n",
    ],
)
def test_rust_that_keeps_nothing(source):
    assert keeps("rust", source) == ""
