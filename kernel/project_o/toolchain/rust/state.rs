//! The state of a library module: its `pub struct State`, which implements `Default`. Each context of the host holds one.
//! The module's functions take it as `&mut State` where they change it and as `&State` where they only look, before all
//! other parameters.
//!
//! A context is left as it is when another build takes it over, so the layout of the state is described in full: builds
//! that do not agree on it do not hand it over.

use crate::call::{Cells, set_last_error};
use crate::describe::Text;
use crate::kind::Kind;
use crate::panics;
use core::ffi::c_void;
use core::fmt::Debug;

const ERROR: i32 = -1;
const NULL_POINTER: i32 = -2;
const INVALID_PARAMETER: i32 = -3;
const TIMEOUT: i32 = -4;

const MAGIC: u64 = 0x6f5f_7374_6174_6532;

#[repr(C)]
struct Context<S> {
    magic: u64,
    state: S,
}

/// What the description says of the state.
pub const CHANGED: &Kind = &Kind { kind: "context", ..Kind::UNMAPPED };
pub const READ: &Kind = &Kind { kind: "context", constant: true, ..Kind::UNMAPPED };

/// SAFETY: `out` is null or writable.
pub unsafe fn init_state<S: Default>(out: *mut *mut c_void) -> i32 {
    if out.is_null() {
        return NULL_POINTER;
    }
    unsafe { *out = core::ptr::null_mut() };
    match panics::caught(|| Box::new(Context { magic: MAGIC, state: S::default() })) {
        Some(made) => {
            unsafe { *out = Box::into_raw(made).cast() };
            0
        }
        None => {
            panics::tell();
            ERROR
        }
    }
}

/// SAFETY: `context` is one of this module, whichever build made it.
pub unsafe fn shutdown_state<S>(context: *mut c_void) -> i32 {
    let status = unsafe { check(context) };
    if status == 0 {
        let context = unsafe {
            (*context.cast::<Context<S>>()).magic = 0;
            Box::from_raw(context.cast::<Context<S>>())
        };
        if panics::caught(|| drop(context)).is_none() {
            panics::tell();
            return ERROR;
        }
    }
    status
}

/// -2: null pointer, -3: not a context of this module.
///
/// SAFETY: what is no context must be readable.
pub unsafe fn check(context: *const c_void) -> i32 {
    if context.is_null() {
        NULL_POINTER
    } else if !context.cast::<u64>().is_aligned() || unsafe { *context.cast::<u64>() } != MAGIC {
        INVALID_PARAMETER
    } else {
        0
    }
}

/// What the module does when a state of another build is its own from now on.
///
/// SAFETY: as `shutdown_state`.
pub unsafe fn reload_state<S>(context: *mut c_void, hook: impl FnOnce(&mut S) -> Result<(), String>) -> i32 {
    let status = unsafe { check(context) };
    if status != 0 {
        return status;
    }
    match panics::caught(|| hook(unsafe { &mut (*context.cast::<Context<S>>()).state })) {
        Some(Ok(())) => 0,
        Some(Err(words)) => {
            set_last_error(words);
            ERROR
        }
        None => {
            panics::tell();
            ERROR
        }
    }
}

/// Where the state is. The host lets nobody else at it while it is changed.
///
/// SAFETY: `check` has found the context good.
#[inline(always)]
pub unsafe fn state_of<S>(cells: &mut Cells) -> *mut S {
    unsafe { &raw mut (*(cells.next() as usize as *mut Context<S>)).state }
}

/// The codes of native/abi/o.h that an error of a module can mean.
///
/// SAFETY: with a status of -1, `ret` holds the address and the length of the error's text.
pub unsafe fn status_of(status: i32, ret: *const u64) -> i32 {
    if status != ERROR {
        return status;
    }
    match unsafe { core::slice::from_raw_parts(*ret as *const u8, *ret.add(1) as usize) } {
        b"InvalidParameter" => INVALID_PARAMETER,
        b"Timeout" => TIMEOUT,
        _ => ERROR,
    }
}

/// A `fn reloaded(&mut self)` of the state's own is found before this one.
pub trait Reloaded {
    fn reloaded(&mut self) {}
}

impl<S> Reloaded for S {}

/// What such a hook may return.
pub trait Done {
    fn done(self) -> Result<(), String>;
}

impl Done for () {
    fn done(self) -> Result<(), String> {
        Ok(())
    }
}

impl<E: Debug> Done for Result<(), E> {
    fn done(self) -> Result<(), String> {
        self.map_err(|error| format!("{error:?}"))
    }
}

// ------------------------------------------------------------------------------- layout

/// One type of the state: its text, and where its fields are.
pub struct Laid {
    pub name: &'static str,
    pub text: &'static str,
    pub size: usize,
    pub align: usize,
    pub fields: &'static [(&'static str, usize)],
}

/// How many bytes `layout` has, the zero at its end included.
pub const fn layout_length(types: &[Laid]) -> usize {
    written::<0>(types).len
}

/// {"size": N, "align": N, "pointers": true, "types": [["State", "struct State ... count at 0"], ...]} and a zero.
pub const fn layout<const N: usize>(types: &[Laid]) -> [u8; N] {
    written::<N>(types).bytes
}

const fn written<const N: usize>(types: &[Laid]) -> Text<N> {
    let mut text = Text::<N> { bytes: [0; N], len: 0 };
    text.raw("{\"size\":");
    text.number(types[0].size);
    text.raw(",\"align\":");
    text.number(types[0].align);
    text.raw(",\"pointers\":true,\"types\":[");
    let mut i = 0;
    while i < types.len() {
        text.raw(if i > 0 { ",[" } else { "[" });
        text.quoted(types[i].name);
        text.raw(",\"");
        text.inner(types[i].text);
        let mut k = 0;
        while k < types[i].fields.len() {
            text.raw(", ");
            text.inner(types[i].fields[k].0);
            text.raw(" at ");
            text.number(types[i].fields[k].1);
            k += 1;
        }
        text.raw(", size ");
        text.number(types[i].size);
        text.raw("\"]");
        i += 1;
    }
    text.raw("]}");
    text.byte(0);
    text
}
