"""What a beginner most often needs to know beyond the compiler's own words, as one more note below an error.

A hint says what to write, in the names of the line that it is about. A row of the tables is the form of the message,
what the line itself must look like for it, and the words, in which ``{0}`` is the first group and ``{word}`` is
the name that the error points at. To add one: a row here, and a case in ``tests/toolchain/test_hints.py`` that runs it
through the real compiler.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from ..values import Diagnostic

PREFIX = "hint: "


class Hint(NamedTuple):
    """``message`` and ``line`` are searched in the error and in its source line."""

    message: str
    words: str
    line: str = ""


_INT, _FLOAT = r"[iu](?:\d+|size)|comptime_int", r"f(?:16|32|64|80|128)|comptime_float"

ZIG: tuple[Hint, ...] = (
    Hint(r"^unused local", "write `_ = {word};` below it while it is not needed yet"),
    Hint(r"^unused function parameter", "write `_ = {word};` in the function, or call the parameter `_`"),
    Hint(r"^unused capture", "write `_` in its place"),
    Hint(r"^expected type '\[\](\w+)', found '\*const \[", "a literal is read only: let the type be `[]const {0}`"),
    Hint(
        r"^expected type '\[\](\w+)', found '\[\]const",
        "`[]const {0}` is read only: take it as `[]{0}`, to which Python passes a writable array",
    ),
    Hint(
        r"^cannot assign to constant",
        "the elements of a `[]const T` are read only: take it as `[]T`, to which Python passes a writable array",
        r"\w\[",
    ),
    Hint(r"^cannot assign to constant", "declare it as `var {word}`", r"\bconst\b"),
    Hint(r"^cannot assign to constant", "parameters are constants: write `var own = {word};`, and change that"),
    Hint(r"^use of undeclared identifier '(std|o)'", 'write `const {0} = @import("{0}");` at the top of the cell'),
    Hint(r"^use of undeclared identifier 'len'", "the length of a slice is its field: `a.len`"),
    Hint(r"^use of undeclared identifier 'print'", 'write `std.debug.print("{{d}}\\n", .{{x}});`'),
    Hint(r"^use of undeclared identifier '(?:None|nil|NULL)'", "it is called `null` here"),
    Hint(r"^use of undeclared identifier '(?:True|False)'", "write it in small letters"),
    Hint(rf"^expected type '({_INT})', found '(?:{_INT})'", "`@intCast(x)` makes it a number of that type, checked"),
    Hint(rf"^expected type '({_FLOAT})', found '(?:{_FLOAT})'", "`@floatCast(x)` makes it a number of that type"),
    Hint(rf"^expected type '({_FLOAT})', found '(?:{_INT})'", "`@floatFromInt(x)` makes it one"),
    Hint(rf"^expected type '({_INT})', found '(?:{_FLOAT})'", "`@intFromFloat(x)` makes it one, cut off and checked"),
    Hint(
        rf"^incompatible types: '({_FLOAT})' and '(?:{_INT})'", "write `@as({0}, @floatFromInt(n))` for the other one"
    ),
    Hint(
        rf"^incompatible types: '(?:{_INT})' and '({_FLOAT})'", "write `@as({0}, @floatFromInt(n))` for the other one"
    ),
    Hint(rf"^incompatible types: '({_INT})' and '(?:{_INT})'", "write `@as({0}, @intCast(n))` for the other one"),
    Hint(r"^invalid builtin function: '@intToFloat'", "it is called `@floatFromInt(x)` now"),
    Hint(r"^invalid builtin function: '@floatToInt'", "it is called `@intFromFloat(x)` now"),
    Hint(r"^invalid builtin function: '@boolToInt'", "it is called `@intFromBool(x)` now"),
    Hint(r"^invalid builtin function: '@enumToInt'", "it is called `@intFromEnum(x)` now"),
    Hint(r"^invalid builtin function: '@intToEnum'", "it is called `@enumFromInt(x)` now"),
    Hint(r"^invalid builtin function: '@ptrToInt'", "it is called `@intFromPtr(x)` now"),
    Hint(
        r"^expected 1 argument, found 2",
        "the type comes from where the value goes: `@as(T, {0}(x))`",
        r"(@(?:int|float|enum|ptr|bit|align|trunc)\w*)\(",
    ),
    Hint(
        r"array_list\.\w+\(.*has no member named 'init'",
        "write `var list: std.ArrayList(T) = .empty;`, and `try list.append(allocator, x);`",
    ),
    Hint(r"^extra capture in for loop", "the index is a range of its own: `for (a, 0..) |x, i|`"),
    Hint(r"^expected expression, found '[;)]'", "there is no `++`: write `{0} += 1`", r"(\w+)\s*\+\+"),
    Hint(r"^cannot compare strings with ==", "write `std.mem.eql(u8, a, b)`"),
    Hint(r"^variable of type 'comptime_int'", "say which number it is: `var {word}: usize = 0;`"),
    Hint(r"^variable of type 'comptime_float'", "say which number it is: `var {word}: f64 = 0;`"),
    Hint(r"CallingConvention' has no member named 'C'", "it is written `callconv(.c)` now"),
    Hint(r"whitespace on one side", "an array of equal ones is `const a: [4]f64 = @splat(0);`", r"\}\s*\*\*"),
    Hint(r"whitespace on one side", "there is no power: write `x * x`, or `std.math.pow(f32, x, y)`", r"\*\*"),
    Hint(r"^no field or member function named 'len'", "it is a field: `.len` without parentheses", r"\.len\("),
    Hint(r"^expected ';' after statement", "there is no `?:`: write `if (a) b else c`", r" \? .+ : "),
    Hint(
        r"^expected ';' after statement",
        "declare it as `const {1} = ...`, or `var {1}: T = ...` where it changes",
        r"\b(int|float|double|auto|let)\s+(\w+)\s*=",
    ),
    Hint(r"^expected single quote", 'a text stands in double quotes: `"..."`'),
    Hint(r"^expected statement, found 'EOF'", "a `{{` above has no `}}`"),
    Hint(r"^expected ',' after field", "a function begins so: `pub fn {0}(x: f64) f64 {{`", r"\bdef\s+(\w+)"),
    Hint(
        r"^expected return type expression, found '\{'",
        "write the type of the result before the `{{`, `void` where there is none",
    ),
    Hint(r"^expected '\(', found", "write `for (0..n) |{0}|`, or `for (a) |x|`", r"\bfor\s+(\w+)\s+in\b"),
    Hint(r"^expected ',' after for operand", "write `for (0..n) |i|`", r"\bfor\s*\(.*;"),
    Hint(r"^expected '\(', found", "what `{0}` asks stands in parentheses: `{0} (...)`", r"\b(if|while|for|switch)\b"),
    Hint(
        r"^expected 2 argument\(s\), found 1",
        'what it prints comes in a second argument: `std.debug.print("...", .{{}})`',
        r"debug\.print\(",
    ),
    Hint(r"expected tuple or struct argument, found", "what is printed stands in `.{{...}}`"),
    Hint(r"^unable to resolve comptime value", "write `or`", r"\|\|"),
    Hint(r"^expected ';' after statement", "write `!{0}`", r"\bnot\s+(\w+)"),
    Hint(r"^no member named 'length'", "it is called `len` here"),
    Hint(
        r"^invalid operands to binary bitwise", "there is no power: write `x * x`, or `std.math.pow(f64, x, y)`", r"\^"
    ),
    Hint(r"found 'invalid token'", "a comment begins with `//`", r"^\s*#"),
    Hint(r"^use of undeclared identifier '(?:float|double)'", "it is called `f64` here"),
    Hint(r"^use of undeclared identifier 'int'", "it is called `i64` here, or `i32`, `usize`"),
    Hint(r"^use of undeclared identifier '(?:str|string|String)'", "a text is a `[]const u8`"),
    Hint(
        r"^use of undeclared identifier '(sqrt|abs|sin|cos|tan|exp|log|floor|ceil|round|min|max)'",
        "it is called `@{0}` here",
    ),
    Hint(r" shadows ", "no name may hide another one: call it something else"),
    Hint(r"^invalid operands to binary expression: 'optional'", "write `(x orelse 0)` where it may be null"),
    Hint(r"^'(\w+)' is not marked 'pub'", "write `pub fn {0}` there"),
)

_NUMBER = r"`(?:[iu](?:8|16|32|64|128|size)|f32|f64)`"
_ARITHMETIC = r"^cannot (?:add|subtract|multiply|divide)"
_ONE_TYPE = "bring both to one type: `x as {0}`"

RUST: tuple[Hint, ...] = (
    Hint(r"^borrow of moved value: `(\w+)`", "`&{0}` lends it: a function that only reads takes `&[T]`"),
    Hint(r"^use of moved value: `(\w+)`", "`&{0}` lends it: a function that only reads takes `&[T]`"),
    Hint(r"cannot be indexed by `(?!usize)", "an index is a `usize`: `a[i as usize]`"),
    Hint(rf"{_ARITHMETIC} `(f32|f64)` (?:to|from|by) {_NUMBER}", _ONE_TYPE),
    Hint(rf"{_ARITHMETIC} {_NUMBER} (?:to|from|by) `(f32|f64|\w+)`", _ONE_TYPE),
    Hint(
        r"^mismatched types: expected `([iuf](?:8|16|32|64|size))`, found `[iuf](?:8|16|32|64|size)`",
        "`x as {0}` makes it one, cut off without a check",
    ),
    Hint(
        r"use of unresolved module or unlinked crate `(\w+)`",
        "for a crate write `%%rust --dep '{0} = \"1\"'`; a cell of that name has to be run before",
    ),
    Hint(
        r"^the `\?` operator can only be used",
        "let the function return `Result<T, E>`: an error is a NativeResultError in Python",
    ),
    Hint(r"^missing lifetime specifier", "return what is its own, a `String` or a `Vec<T>`"),
    Hint(r"^cannot return (?:reference to|value referencing) local", "return the `Vec<T>`: Python gets a new array"),
    Hint(
        r"^cannot (?:assign to|borrow) `(\w+)\[?.*which is behind a `&` reference",
        "take `{0}` as `&mut [T]`, to which Python passes a writable array",
    ),
    Hint(r"`(f32|f64): Ord` is not satisfied", "write `a.iter().copied().fold({0}::MIN, {0}::max)`"),
)


def with_hints(found: Sequence[Diagnostic], rows: Sequence[Hint]) -> tuple[Diagnostic, ...]:
    """The errors, each with the first hint that is about it as its last note."""
    return tuple(_with_hint(item, rows) for item in found)


def _with_hint(found: Diagnostic, rows: Sequence[Hint]) -> Diagnostic:
    if found.severity != "error":
        return found
    for row in rows:
        match = re.search(row.message, found.message)
        if match is None:
            continue
        beside = re.search(row.line, found.source_line) if row.line else None
        if row.line and beside is None:
            continue
        groups = beside.groups() if beside is not None and beside.groups() else match.groups()
        words = row.words.format(*groups, word=_word(found))
        return replace(found, notes=(*found.notes, Diagnostic("note", PREFIX + words)))
    return found


def _word(found: Diagnostic) -> str:
    """The name at the place that the error points at; "x" where there is none."""
    match = re.match(r"\w+", found.source_line[max(0, found.column - 1) :])
    name = match[0] if match else ""
    if name in ("var", "const"):  # some errors point at the declaration, not at its name
        match = re.match(rf"{name}\s+(\w+)", found.source_line[max(0, found.column - 1) :])
        name = match[1] if match else ""
    return name if name and not name[0].isdigit() else "x"
