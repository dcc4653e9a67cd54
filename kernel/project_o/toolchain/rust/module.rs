//! The parts of the module ABI that are the same for every library.

/// What `o_get_version_struct` gives.
#[repr(C)]
pub struct VersionStruct {
    major: u32,
    minor: u32,
    patch: u32,
    git_hash: *const u8,
}

// SAFETY: the pointer is that of a constant.
unsafe impl Sync for VersionStruct {}

static CONTEXT: u8 = 0;

/// A text and a zero; `N` is its length and one more.
pub const fn zero_ended<const N: usize>(text: &str) -> [u8; N] {
    let mut bytes = [0; N];
    let mut i = 0;
    while i < text.len() {
        bytes[i] = text.as_bytes()[i];
        i += 1;
    }
    bytes
}

/// "1.2.3" as three numbers, and a hash that ends in a zero.
pub const fn version(text: &str, git_hash: &'static [u8]) -> VersionStruct {
    let mut numbers = [0u32; 3];
    let (mut at, mut i) = (0, 0);
    while i < text.len() {
        match text.as_bytes()[i] {
            b'.' => at += 1,
            digit @ b'0'..=b'9' if at < 3 => numbers[at] = numbers[at] * 10 + (digit - b'0') as u32,
            _ => panic!("O_VERSION must read like \"1.2.3\""),
        }
        i += 1;
    }
    VersionStruct { major: numbers[0], minor: numbers[1], patch: numbers[2], git_hash: git_hash.as_ptr() }
}

/// -2: null pointer. A cell keeps its state in its own statics, so one context serves all.
///
/// SAFETY: `out` is null or writable.
pub unsafe fn init(out: *mut *const u8) -> i32 {
    if out.is_null() {
        return -2;
    }
    unsafe { *out = &CONTEXT };
    0
}

/// -2: null pointer, -3: not a context of this library.
pub fn shutdown(context: *const u8) -> i32 {
    match context {
        context if context.is_null() => -2,
        context if context == &raw const CONTEXT => 0,
        _ => -3,
    }
}
