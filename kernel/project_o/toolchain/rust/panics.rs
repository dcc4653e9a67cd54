//! A panic ends the call and not the process: the unwinding stops in the shim, and the host is told the message and the
//! place.
//!
//! All libraries of a process share the standard library and so its one panic hook. Each of them puts its own hook in
//! front: it keeps the place of a panic of its own calls, and hands every other on, in the end to the hook that prints.

use core::cell::{Cell, RefCell};
use core::ffi::c_void;
use core::sync::atomic::{AtomicPtr, Ordering};
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, resume_unwind, set_hook, take_hook};
use std::sync::Once;

/// What the host passes to `o_set_panic`: message, length, return address.
pub type OnPanic = unsafe extern "C" fn(*const u8, usize, usize);

static ON_PANIC: AtomicPtr<c_void> = AtomicPtr::new(core::ptr::null_mut());
static HOOK: Once = Once::new();

const FRAMES_MAX: usize = 24;
const MESSAGE_BYTES_MAX: usize = 480;

thread_local! {
    static IN_CALL: Cell<bool> = const { Cell::new(false) };
    static PLACE: Cell<Place> = const { Cell::new(Place::NOWHERE) };
    static MESSAGE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Where a panic was: the line in the cell, or else the frames on the stack that lie in this library.
#[derive(Clone, Copy)]
struct Place {
    line: u32,
    count: usize,
    frames: [usize; FRAMES_MAX],
}

impl Place {
    const NOWHERE: Place = Place { line: 0, count: 0, frames: [0; FRAMES_MAX] };
}

/// From now on panics of this library go to `function`.
pub fn set_panic(function: OnPanic) {
    ON_PANIC.store(function as *mut c_void, Ordering::Release);
    HOOK.call_once(|| {
        let others = take_hook();
        set_hook(Box::new(move |info| if !noted(info) { others(info) }));
    });
}

/// Whether this panic is one of our own calls'.
fn noted(info: &PanicHookInfo<'_>) -> bool {
    if !IN_CALL.get() {
        return false;
    }
    let mut place = trace();
    if place.count == 0 {
        return false;
    }
    if let Some(location) = info.location() {
        if location.file().ends_with("cell/cell.rs") {
            place.line = location.line();
        }
    }
    PLACE.set(place);
    true
}

/// Run a call. None: it panicked, and `tell` says so to the host.
#[inline(always)]
pub fn caught<R>(body: impl FnOnce() -> R) -> Option<R> {
    let outer = IN_CALL.replace(true);
    let result = catch_unwind(AssertUnwindSafe(body));
    IN_CALL.set(outer);
    match result {
        Ok(value) => Some(value),
        Err(payload) => {
            keep(&*payload);
            // The payload is the cell's own and may panic when it is dropped; there is nothing left to catch that.
            core::mem::forget(payload);
            None
        }
    }
}

/// Why arguments cannot be passed: a mistake of the caller's and none of the cell's.
struct Refused(String);

/// End the call before the function is entered, because its arguments are not what it is compiled for.
#[cold]
pub(crate) fn refuse(why: String) -> ! {
    resume_unwind(Box::new(Refused(why)))
}

/// The message as kernel/project_o/abi/guard.py reads it: a byte 1, then `LINE:FRAME,FRAME,...:text`, frames in
/// hexadecimal. The text of a refusal begins with a byte 2.
#[cold]
fn keep(payload: &(dyn core::any::Any + Send)) {
    use core::fmt::Write;
    let refused = payload.downcast_ref::<Refused>().map(|it| &it.0);
    let said = match (payload.downcast_ref::<&str>(), payload.downcast_ref::<String>().or(refused)) {
        (Some(text), _) => text,
        (_, Some(text)) => text.as_str(),
        _ => "a panic with a value that is not text",
    };
    let place = PLACE.replace(Place::NOWHERE);
    MESSAGE.with_borrow_mut(|message| {
        message.clear();
        let _ = write!(message, "\u{1}{}:", place.line);
        if place.line == 0 {
            for frame in &place.frames[..place.count] {
                let _ = write!(message, "{frame:x},");
            }
        }
        message.push(':');
        message.push_str(if payload.is::<Refused>() { "\u{2}" } else { "" });
        message.push_str(said);
        let mut end = message.len().min(MESSAGE_BYTES_MAX);
        while !message.is_char_boundary(end) {
            end -= 1;
        }
        message.truncate(end);
    });
}

/// Tell the host of the panic that `caught` has met. It leaves the call from there, over frames that own nothing.
#[cold]
pub fn tell() {
    let function = ON_PANIC.load(Ordering::Acquire);
    if function.is_null() {
        return;
    }
    let (text, length) = MESSAGE.with_borrow(|message| (message.as_ptr(), message.len()));
    // SAFETY: `set_panic` has stored a function of this type; the text stays until this thread's next panic.
    unsafe { core::mem::transmute::<*mut c_void, OnPanic>(function)(text, length, 0) }
}

// ------------------------------------------------------------------------------- frames

#[repr(C)]
struct Symbol {
    file: *const u8,
    base: *const c_void,
    name: *const u8,
    address: *const c_void,
}

unsafe extern "C" {
    fn dladdr(address: *const c_void, found: *mut Symbol) -> i32;
    fn _Unwind_Backtrace(visit: unsafe extern "C" fn(*mut c_void, *mut c_void) -> i32, data: *mut c_void) -> i32;
    fn _Unwind_GetIP(context: *mut c_void) -> usize;
}

/// Where the library that holds `address` was loaded; 0 where none does.
fn base_of(address: usize) -> usize {
    let mut found = Symbol {
        file: core::ptr::null(),
        base: core::ptr::null(),
        name: core::ptr::null(),
        address: core::ptr::null(),
    };
    // SAFETY: dladdr takes any address and writes one struct.
    if unsafe { dladdr(address as *const c_void, &mut found) } == 0 { 0 } else { found.base as usize }
}

struct Trace {
    place: Place,
    base: usize,
}

/// The return addresses on the stack that lie in this library, innermost first, as offsets from its start.
#[inline(never)]
fn trace() -> Place {
    let own = visit as *const () as usize;
    let mut trace = Trace { place: Place::NOWHERE, base: base_of(own) };
    // SAFETY: the unwinder calls `visit` once a frame while `trace` lives.
    unsafe { _Unwind_Backtrace(visit, (&raw mut trace).cast()) };
    trace.place
}

unsafe extern "C" fn visit(context: *mut c_void, data: *mut c_void) -> i32 {
    // SAFETY: `trace` passes its own address, and the unwinder a frame.
    let (trace, address) = unsafe { (&mut *data.cast::<Trace>(), _Unwind_GetIP(context)) };
    if trace.place.count == FRAMES_MAX {
        return 5; // _URC_END_OF_STACK
    }
    if base_of(address) == trace.base {
        trace.place.frames[trace.place.count] = address - trace.base;
        trace.place.count += 1;
    }
    0
}
