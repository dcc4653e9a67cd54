//! One call: its arguments and its result as the cells that kernel/project_o/abi lays out, and what becomes of an error
//! or a panic.

use crate::panics;
use core::any::Any;
use std::cell::RefCell;

/// The arguments of a call, read from left to right.
pub struct Cells {
    pub(crate) next: *const u64,
    /// The memory that the call may use, where it matters whether two arguments overlap.
    regions: Option<Vec<Region>>,
    /// What is lent to the function for the time of the call.
    pub(crate) kept: Vec<Box<dyn Any>>,
}

struct Region {
    start: usize,
    end: usize,
    writes: bool,
}

impl Cells {
    #[inline(always)]
    pub fn next(&mut self) -> u64 {
        // SAFETY: the host gives as many cells as the description of the function says.
        unsafe {
            let cell = *self.next;
            self.next = self.next.add(1);
            cell
        }
    }

    #[inline(always)]
    pub(crate) fn skip(&mut self, cells: usize) {
        // SAFETY: as in `next`.
        self.next = unsafe { self.next.add(cells) };
    }

    /// An address that a reference may have, also where there is nothing to read.
    #[inline(always)]
    pub(crate) fn address<T>(&mut self) -> *mut T {
        match self.next() as usize {
            0 => core::ptr::dangling_mut(),
            address => address as *mut T,
        }
    }

    /// Two references to the same memory, one of them writable, are not what Rust is compiled for.
    #[inline(always)]
    pub(crate) fn claim<T>(&mut self, data: *const T, bytes: usize, writes: bool) {
        if self.regions.is_some() {
            self.claim_region(Region { start: data as usize, end: data as usize + bytes, writes });
        }
    }

    #[cold]
    fn claim_region(&mut self, new: Region) {
        let regions = self.regions.get_or_insert_default();
        for (k, old) in regions.iter().enumerate() {
            if (old.writes || new.writes) && old.start < new.end && new.start < old.end {
                panics::refuse(format!(
                    "array {} and array {} of the arguments share memory, and one of them is written: pass a .copy()",
                    k + 1,
                    regions.len() + 1
                ));
            }
        }
        regions.push(new);
    }
}

/// The result of a call, written from left to right, and the memory it lives in.
pub struct Out {
    pub(crate) next: *mut u64,
    pub(crate) kept: Vec<Box<dyn Any>>,
    /// Whether the result points to memory that it does not own: it may be that of an argument.
    pub(crate) borrows: bool,
}

impl Out {
    #[inline(always)]
    pub fn put(&mut self, cell: u64) {
        // SAFETY: the host gives as many cells as the description of the function says, and one for the handle.
        unsafe {
            *self.next = cell;
            self.next = self.next.add(1);
        }
    }
}

// ------------------------------------------------------------------------------- the call

thread_local! {
    /// The text of the last error on this thread and a zero: the host reads it after the call has returned.
    static LAST_ERROR: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

const STATUS_ERROR: i32 = -1;

/// Run a shim's body: its result is followed by the handle of the memory it lives in; a status of -1 says that `ret`
/// holds the address and length of the error's text; a panic is told to the host, which then does not come back.
///
/// SAFETY: `args` and `ret` are laid out by the description of the function.
#[inline(always)]
pub unsafe fn call(
    args: *const u64,
    ret: *mut u64,
    writes: bool,
    body: impl FnOnce(&mut Cells, &mut Out) -> Result<(), String>,
) -> i32 {
    let mut cells = Cells { next: args, regions: writes.then(Vec::new), kept: Vec::new() };
    let mut out = Out { next: ret, kept: Vec::new(), borrows: false };
    let mut ended = panics::caught(|| body(&mut cells, &mut out));
    if out.borrows && matches!(ended, Some(Ok(()))) {
        out.kept.append(&mut cells.kept);
    }
    while let Some(lent) = cells.kept.pop() {
        // A type of the cell may panic when it is dropped.
        if panics::caught(|| drop(lent)).is_none() {
            ended = None;
        }
    }
    match ended {
        Some(Ok(())) => {
            let handle = if out.kept.is_empty() { 0 } else { Box::into_raw(Box::new(out.kept)) as u64 };
            // SAFETY: one cell behind those of the result.
            unsafe { *out.next = handle };
            0
        }
        Some(Err(text)) => failed(ret, text),
        None => {
            // What the call holds is given back before the host leaves over our heads.
            drop((cells, out));
            panics::tell();
            STATUS_ERROR
        }
    }
}

#[cold]
fn failed(ret: *mut u64, text: String) -> i32 {
    let length = text.len();
    let address = set_last_error(text);
    // SAFETY: every function has at least two cells for its result.
    unsafe {
        *ret = address as u64;
        *ret.add(1) = length as u64;
    }
    STATUS_ERROR
}

/// Keep a text and a zero as this thread's last error; where it is.
pub(crate) fn set_last_error(text: String) -> *const u8 {
    LAST_ERROR.with_borrow_mut(|last| {
        *last = text.into_bytes();
        last.push(0);
        last.as_ptr()
    })
}

/// The text of the last error on this thread, "" where there was none.
pub fn last_error() -> *const u8 {
    LAST_ERROR.with_borrow(|last| if last.is_empty() { c"".as_ptr().cast() } else { last.as_ptr() })
}

/// Release what a call has allocated for its result.
///
/// SAFETY: `handle` comes from `call` of this library, and is given back once.
pub unsafe fn free(handle: u64) {
    if handle != 0 {
        let kept = unsafe { Box::from_raw(handle as *mut Vec<Box<dyn Any>>) };
        for item in *kept {
            // The call is over, and so nobody is told of a panic in here.
            let _ = panics::caught(|| drop(item));
        }
    }
}
