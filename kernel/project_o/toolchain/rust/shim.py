"""The code that is put around a cell: one shim for each public function, and the description of them all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..sources import Module
from .places import template
from .source import STATE, Choice, Facts, Function, Structure, quoted
from .state_types import laid_out

_PROBE = "::o::shim::Probe::"
_BYTE, _WORD, _WIDE = "::core::primitive::u8", "::core::primitive::u64", "::core::primitive::i128"
_VOID = '::o::shim::Kind { kind: "void", ..::o::shim::Kind::UNMAPPED }'


@dataclass(frozen=True, slots=True)
class Shim:
    """``text`` is one Rust expression; ``owners`` says by its lines (from 1) which function or struct each is for."""

    text: str
    owners: Mapping[int, str]


def write(facts: Facts, dropped: Mapping[str, str], module: Module | None = None) -> Shim:
    """The shim of a cell, or of a ``module``. ``dropped`` are the functions and structs to leave out, and why.

    Every name is absolute, every function of the cell is called as one of this module, and what the shim declares
    begins with ``__O_``, so that nothing of the cell stands in its way and it hides nothing of the cell.
    """
    lines = ["{", "use ::o::shim::{NotAPart as _, NotGiven as _, NotTaken as _};"]
    owners: dict[int, str] = {}
    state = STATE if module is not None and facts.has_state else ""
    for structure in facts.structures:
        if structure.name not in dropped and structure.name != state:
            for text in (_take_structure(structure), _put_structure(structure), _marks(structure)):
                lines.append(text)
                owners[len(lines)] = structure.name
    for choice in facts.choices:
        if choice.name not in dropped:
            lines.append(_choice(choice))
            owners[len(lines)] = choice.name
    lines.append("const __O_FUNCTIONS: &[::o::shim::Function] = &[")
    for function in facts.functions:
        lines.append(_described(function, dropped.get(function.name, function.note), state))
        owners[len(lines)] = function.name
    lines.append("];")
    for number, function in enumerate(facts.functions):
        if not function.note and function.name not in dropped:
            lines.append(_exported(function, number, module, state))
            owners[len(lines)] = function.name
    if state:
        lines.append(
            f"const _: fn() = || {{ fn state<S: Default + Send + Sync + 'static>() {{}} state::<self::{STATE}>() }};"
        )
        owners[len(lines)] = STATE
    lines += [*_version(facts, module), template("exports.rs")]
    lines += [*laid_out(facts), template("exports_state.rs")] if state else [template("exports_stateless.rs")]
    lines.append("}")
    return Shim("\n".join(lines) + "\n", owners)


def _described(function: Function, note: str, state: str) -> str:
    lent, types = _parted(function, state)
    pairs = [f'("{lent}", ::o::shim::{"CHANGED" if "mut" in lent else "READ"})'] if lent else []
    parameters = "" if note else ", ".join([*pairs, *(_pair(item, "PARAMETER") for item in types)])
    result = '("()", &::o::shim::Kind::UNMAPPED)' if note else _pair(function.result, "RESULT")
    return (
        f"::o::shim::Function {{ name: {quoted(bare(function.name))}, note: {quoted(note)}, "
        f"parameters: &[{parameters}], result: {result} }},"
    )


def _pair(type_: str, what: str) -> str:
    return f"({quoted(type_)}, {_PROBE}<{type_}>::{what})"


def _parted(function: Function, state: str) -> tuple[str, tuple[str, ...]]:
    """The type by which a function takes the state, "" where it does not, and those of its other parameters."""
    first = function.parameters[:1]
    if state and first and first[0] in (f"&{state}", f"&mut {state}"):
        return first[0], function.parameters[1:]
    return "", function.parameters


def _exported(function: Function, number: int, module: Module | None, state: str) -> str:
    name, (lent, types) = bare(function.name), _parted(function, state)
    symbol = f"o_{module.name}_{name}" if module else f"o_cell_{name}"
    names = [f"a{k}" for k in range(len(types))]
    taken = [f"let {name} = {_PROBE}<{type_}>::take(cells);" for name, type_ in zip(names, types, strict=True)]
    if lent:
        taken.insert(
            0, f"let state: {lent} = &{'mut ' if 'mut' in lent else ''}*::o::shim::state_of::<self::{state}>(cells);"
        )
        names.insert(0, "state")
    call = (
        f"::o::shim::call(args, ret, const {{ ::o::shim::writes(&__O_FUNCTIONS[{number}]) }}, |cells, out| {{ "
        f"{' '.join(taken)} {_PROBE}<{function.result}>::put(self::{function.name}({', '.join(names)}), out) }})"
    )
    if lent:
        good = "::o::shim::check(*args as ::core::primitive::usize as *const ::core::ffi::c_void)"
        call = f"match {good} {{ 0 => {call}, status => return status }}"
    return (
        f'#[unsafe(export_name = "{symbol}")] '
        f'unsafe extern "C" fn {symbol}(args: *const {_WORD}, ret: *mut {_WORD}) -> '
        f"::core::primitive::i32 {{ unsafe {{ {f'::o::shim::status_of({call}, ret)' if module else call} }} }}"
    )


def _generics(structure: Structure) -> tuple[str, str]:
    listed = f"<{', '.join(structure.lifetimes)}>" if structure.lifetimes else ""
    return listed, structure.name + listed


def _kind(structure: Structure, what: str) -> str:
    fields = ", ".join(f"({quoted(bare(name))}, {_PROBE}<{type_}>::{what})" for name, type_ in structure.fields)
    numbers = f"::o::shim::numbers_of(<{structure.name} as ::o::shim::Item>::ITEM)" if _is_item(structure) else "&[]"
    return (
        f"const KIND: &'static ::o::shim::Kind = &::o::shim::Kind {{ "
        f'kind: "{"struct" if structure.named else "tuple"}", name: {quoted(bare(structure.name))}, '
        f"fields: &[{fields}], numbers: {numbers}, ..::o::shim::Kind::UNMAPPED }};"
    )


def _is_item(structure: Structure) -> bool:
    """Whether it may be an element of an array, if all of its fields may be part of one."""
    return structure.named and not structure.lifetimes and bool(structure.fields)


def _item(structure: Structure) -> str:
    name = structure.name
    fields = ", ".join(f"({quoted(bare(field))}, {_PROBE}<{type_}>::PART)" for field, type_ in structure.fields)
    places = "".join(f", ::core::mem::offset_of!({name}, {field}) as {_WIDE}" for field, _ in structure.fields)
    return (
        f"impl ::o::shim::Item for {name} {{ const ITEM: &'static ::o::shim::Kind = &::o::shim::Kind {{ "
        f'kind: "struct", name: {quoted(bare(name))}, fields: &[{fields}], '
        f"numbers: &[::core::mem::size_of::<{name}>() as {_WIDE}{places}], ..::o::shim::Kind::UNMAPPED }}; }} "
        f"impl ::o::shim::Part for {name} {{ const PART: &'static ::o::shim::Kind = "
        f"<{name} as ::o::shim::Item>::ITEM; }}"
    )


def _choice(choice: Choice) -> str:
    """An enum without data: its value crosses, and only those that it has come in."""
    name = choice.name
    fields = ", ".join(f"({quoted(bare(variant))}, &{_VOID})" for variant in choice.variants)
    values = ", ".join(f"{name}::{variant} as {_WIDE}" for variant in choice.variants)
    arms = " ".join(
        f"if cell == {name}::{variant} as {_WIDE} as {_WORD} {{ return {name}::{variant}; }}"
        for variant in choice.variants
    )
    kind = (
        f'const KIND: &\'static ::o::shim::Kind = &::o::shim::Kind {{ kind: "enum", bits: 64, constant: true, '
        f"signed: ::o::shim::any_negative(&[{values}]), name: {quoted(bare(name))}, fields: &[{fields}], "
        f"numbers: &[{values}], ..::o::shim::Kind::UNMAPPED }};"
    )
    return (
        f"impl ::o::shim::FromCells for {name} {{ {kind} unsafe fn take(cells: &mut ::o::shim::Cells) -> Self {{ "
        f'let cell = cells.next(); {arms} ::core::panic!("{bare(name)} has no such value") }} }} '
        f"impl ::o::shim::IntoCells for {name} {{ {kind} "
        f"unsafe fn put(self, out: &mut ::o::shim::Out) -> ::core::result::Result<(), ::std::string::String> "
        f"{{ out.put(self as {_WIDE} as {_WORD}); ::core::result::Result::Ok(()) }} }} "
        f"impl ::o::shim::Solid for {name} {{}} impl ::o::shim::Lent for {name} {{}}"
    )


def _take_structure(structure: Structure) -> str:
    listed, name = _generics(structure)
    # The numbers of a tuple struct may be written as names of fields, in the order of their evaluation.
    fields = ", ".join(f"{field}: {_PROBE}<{type_}>::take(cells)" for field, type_ in structure.fields)
    return (
        f"impl{listed} ::o::shim::FromCells for {name} {{ {_kind(structure, 'PARAMETER')} "
        f"unsafe fn take(cells: &mut ::o::shim::Cells) -> Self {{ unsafe {{ Self {{ {fields} }} }} }} }}"
    )


def _put_structure(structure: Structure) -> str:
    listed, name = _generics(structure)
    put = " ".join(f"{_PROBE}<{type_}>::put(self.{field}, out)?;" for field, type_ in structure.fields)
    return (
        f"impl{listed} ::o::shim::IntoCells for {name} {{ {_kind(structure, 'RESULT')} "
        "unsafe fn put(self, out: &mut ::o::shim::Out) -> ::core::result::Result<(), ::std::string::String> "
        f"{{ unsafe {{ {put} }} ::core::result::Result::Ok(()) }} }}"
    )


def _marks(structure: Structure) -> str:
    listed, name = _generics(structure)
    item = _item(structure) if _is_item(structure) else ""
    lent = "" if structure.lifetimes else f" impl ::o::shim::Lent for {name} {{}}"
    return f"impl{listed} ::o::shim::Solid for {name} {{}}{lent} {item}"


def bare(name: str) -> str:
    """A name without the sign that makes a keyword one: ``type`` for ``r#type``."""
    return name.removeprefix("r#")


def _version(facts: Facts, module: Module | None) -> list[str]:
    name = "self::O_NAME" if "O_NAME" in facts.constants else '"cell"'
    version = "self::O_VERSION" if "O_VERSION" in facts.constants else '"0.0.0"'
    if module is not None:
        name, version = quoted(module.name), quoted(module.version)
    hash_ = quoted(module.git_hash if module else "")
    return [
        f"static __O_NAME: [{_BYTE}; {name}.len() + 1] = ::o::shim::zero_ended({name});",
        f"static __O_VERSION: [{_BYTE}; {version}.len() + 1] = ::o::shim::zero_ended({version});",
        f"static __O_GIT_HASH: [{_BYTE}; {hash_}.len() + 1] = ::o::shim::zero_ended({hash_});",
        f"static __O_VERSION_STRUCT: ::o::shim::VersionStruct = ::o::shim::version({version}, &__O_GIT_HASH);",
        f"const __O_HOT_RELOAD: ::core::primitive::bool = {'false' if module and not module.hot_reload else 'true'};",
    ]
