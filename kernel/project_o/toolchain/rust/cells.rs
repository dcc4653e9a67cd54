//! How values cross: the cells of a call as kernel/project_o/abi lays them out.

use crate::kind::{Kind, argument_cell_count, cell_count};
use crate::panics;
use crate::views::{View2, ViewMut2};
use core::any::Any;
use core::fmt::Debug;
use core::marker::PhantomData;
use core::slice;
use std::cell::RefCell;

/// The arguments of a call, read from left to right.
pub struct Cells {
    next: *const u64,
    /// The memory that the call may use, where it matters whether two arguments overlap.
    regions: Option<Vec<Region>>,
    /// What is lent to the function for the time of the call.
    kept: Vec<Box<dyn Any>>,
}

struct Region {
    start: usize,
    end: usize,
    writes: bool,
}

impl Cells {
    #[inline(always)]
    fn next(&mut self) -> u64 {
        // SAFETY: the host gives as many cells as the description of the function says.
        unsafe {
            let cell = *self.next;
            self.next = self.next.add(1);
            cell
        }
    }

    #[inline(always)]
    fn skip(&mut self, cells: usize) {
        // SAFETY: as in `next`.
        self.next = unsafe { self.next.add(cells) };
    }

    /// An address that a reference may have, also where there is nothing to read.
    #[inline(always)]
    fn address<T>(&mut self) -> *mut T {
        match self.next() as usize {
            0 => core::ptr::dangling_mut(),
            address => address as *mut T,
        }
    }

    /// Two references to the same memory, one of them writable, are not what Rust is compiled for.
    #[inline(always)]
    fn claim<T>(&mut self, data: *const T, bytes: usize, writes: bool) {
        if self.regions.is_some() {
            self.claim_region(Region { start: data as usize, end: data as usize + bytes, writes });
        }
    }

    #[cold]
    fn claim_region(&mut self, new: Region) {
        let regions = self.regions.get_or_insert_default();
        for (k, old) in regions.iter().enumerate() {
            if (old.writes || new.writes) && old.start < new.end && new.start < old.end {
                panic!(
                    "array {} and array {} of the arguments share memory, and one of them is written: pass a .copy()",
                    k + 1,
                    regions.len() + 1
                );
            }
        }
        regions.push(new);
    }
}

/// The result of a call, written from left to right, and the memory it lives in.
pub struct Out {
    next: *mut u64,
    kept: Vec<Box<dyn Any>>,
}

impl Out {
    #[inline(always)]
    fn put(&mut self, cell: u64) {
        // SAFETY: the host gives as many cells as the description of the function says, and one for the handle.
        unsafe {
            *self.next = cell;
            self.next = self.next.add(1);
        }
    }
}

/// A type that a parameter may have.
pub trait FromCells: Sized {
    const KIND: &'static Kind;

    /// SAFETY: the cells are those of a value of this type, and memory they point to outlives the call.
    unsafe fn take(cells: &mut Cells) -> Self;
}

/// A type that a result may have. An error is told by its text.
pub trait IntoCells {
    const KIND: &'static Kind;

    /// SAFETY: there is room for the cells of this type.
    unsafe fn put(self, out: &mut Out) -> Result<(), String>;
}

/// A type of which `None` has one meaning only.
pub trait Solid {}

/// A type that is made from the cells and then lent to the function as `&T`.
pub trait Lent: FromCells + 'static {}

/// A number that numpy has a type for.
pub trait Element: Copy + 'static {
    const ELEMENT: &'static Kind;
}

// ------------------------------------------------------------------------------- numbers

macro_rules! numbers {
    ($($T:ty, $kind:literal, $bits:expr, $signed:literal, $cell:ident => $from:expr, $value:ident => $into:expr;)*) => {$(
        impl Element for $T {
            const ELEMENT: &'static Kind = &Kind { kind: $kind, bits: $bits, signed: $signed, ..Kind::UNMAPPED };
        }
        impl FromCells for $T {
            const KIND: &'static Kind = Self::ELEMENT;
            #[inline(always)]
            unsafe fn take(cells: &mut Cells) -> Self {
                let $cell = cells.next();
                $from
            }
        }
        impl IntoCells for $T {
            const KIND: &'static Kind = Self::ELEMENT;
            #[inline(always)]
            unsafe fn put(self, out: &mut Out) -> Result<(), String> {
                let $value = self;
                out.put($into);
                Ok(())
            }
        }
        impl Solid for $T {}
        impl Lent for $T {}
    )*};
}

numbers! {
    bool, "bool", 8, false, c => c & 1 != 0, v => v as u64;
    i8, "int", 8, true, c => c as i8, v => v as i64 as u64;
    i16, "int", 16, true, c => c as i16, v => v as i64 as u64;
    i32, "int", 32, true, c => c as i32, v => v as i64 as u64;
    i64, "int", 64, true, c => c as i64, v => v as u64;
    isize, "int", usize::BITS, true, c => c as isize, v => v as i64 as u64;
    u8, "int", 8, false, c => c as u8, v => v as u64;
    u16, "int", 16, false, c => c as u16, v => v as u64;
    u32, "int", 32, false, c => c as u32, v => v as u64;
    u64, "int", 64, false, c => c, v => v;
    usize, "int", usize::BITS, false, c => c as usize, v => v as u64;
    f32, "float", 32, true, c => f64::from_bits(c) as f32, v => (v as f64).to_bits();
    f64, "float", 64, true, c => f64::from_bits(c), v => v.to_bits();
}

// ------------------------------------------------------------------------------- arrays

const fn slice_of(element: &'static Kind, constant: bool) -> Kind {
    Kind { kind: "slice", constant, child: Some(element), ..Kind::UNMAPPED }
}

const TEXT: &Kind = &slice_of(u8::ELEMENT, true);

impl<T: Element> FromCells for &[T] {
    const KIND: &'static Kind = &const { slice_of(T::ELEMENT, true) };
    #[inline(always)]
    unsafe fn take(cells: &mut Cells) -> Self {
        let data = cells.address::<T>();
        let length = cells.next() as usize;
        cells.claim(data, length * size_of::<T>(), false);
        // SAFETY: the host passes aligned memory of this length, which lives as long as the call.
        unsafe { slice::from_raw_parts(data, length) }
    }
}

impl<T: Element> FromCells for &mut [T] {
    const KIND: &'static Kind = &const { slice_of(T::ELEMENT, false) };
    #[inline(always)]
    unsafe fn take(cells: &mut Cells) -> Self {
        let data = cells.address::<T>();
        let length = cells.next() as usize;
        cells.claim(data, length * size_of::<T>(), true);
        // SAFETY: as above; `claim` has seen to it that no other argument is there.
        unsafe { slice::from_raw_parts_mut(data, length) }
    }
}

impl<T: Element> FromCells for Vec<T> {
    const KIND: &'static Kind = <&[T] as FromCells>::KIND;
    unsafe fn take(cells: &mut Cells) -> Self {
        unsafe { <&[T]>::take(cells) }.to_vec()
    }
}

impl<T: Element> IntoCells for &[T] {
    const KIND: &'static Kind = &const { slice_of(T::ELEMENT, true) };
    unsafe fn put(self, out: &mut Out) -> Result<(), String> {
        out.put(self.as_ptr() as u64);
        out.put(self.len() as u64);
        Ok(())
    }
}

impl<T: Element> IntoCells for &mut [T] {
    const KIND: &'static Kind = &const { slice_of(T::ELEMENT, false) };
    unsafe fn put(self, out: &mut Out) -> Result<(), String> {
        out.put(self.as_ptr() as u64);
        out.put(self.len() as u64);
        Ok(())
    }
}

impl<T: Element> IntoCells for Vec<T> {
    const KIND: &'static Kind = <&mut [T] as FromCells>::KIND;
    unsafe fn put(self, out: &mut Out) -> Result<(), String> {
        out.put(self.as_ptr() as u64);
        out.put(self.len() as u64);
        out.kept.push(Box::new(self));
        Ok(())
    }
}

impl<T: Element> IntoCells for Box<[T]> {
    const KIND: &'static Kind = <&mut [T] as FromCells>::KIND;
    unsafe fn put(self, out: &mut Out) -> Result<(), String> {
        unsafe { self.into_vec().put(out) }
    }
}

impl<T: Element, const N: usize> FromCells for [T; N] {
    const KIND: &'static Kind =
        &const { Kind { kind: "array", length: N, child: Some(T::ELEMENT), ..Kind::UNMAPPED } };
    #[inline(always)]
    unsafe fn take(cells: &mut Cells) -> Self {
        let data = cells.address::<T>();
        // SAFETY: the host passes the address of N aligned elements.
        unsafe { *data.cast::<[T; N]>() }
    }
}

impl<T: Element + IntoCells, const N: usize> IntoCells for [T; N] {
    const KIND: &'static Kind = <[T; N] as FromCells>::KIND;
    unsafe fn put(self, out: &mut Out) -> Result<(), String> {
        for item in self {
            unsafe { item.put(out) }?;
        }
        Ok(())
    }
}

impl<T: Element> FromCells for View2<'_, T> {
    const KIND: &'static Kind =
        &const { Kind { kind: "matrix", constant: true, child: Some(T::ELEMENT), ..Kind::UNMAPPED } };
    unsafe fn take(cells: &mut Cells) -> Self {
        let data = cells.address::<T>();
        let (rows, cols, stride) = (cells.next() as usize, cells.next() as usize, cells.next() as usize);
        cells.claim(data, matrix_bytes::<T>(rows, cols, stride), false);
        View2 { data, rows, cols, stride, life: PhantomData }
    }
}

impl<T: Element> FromCells for ViewMut2<'_, T> {
    const KIND: &'static Kind = &const { Kind { kind: "matrix", child: Some(T::ELEMENT), ..Kind::UNMAPPED } };
    unsafe fn take(cells: &mut Cells) -> Self {
        let data = cells.address::<T>();
        let (rows, cols, stride) = (cells.next() as usize, cells.next() as usize, cells.next() as usize);
        cells.claim(data, matrix_bytes::<T>(rows, cols, stride), true);
        ViewMut2 { data, rows, cols, stride, life: PhantomData }
    }
}

fn matrix_bytes<T>(rows: usize, cols: usize, stride: usize) -> usize {
    if rows == 0 { 0 } else { ((rows - 1) * stride + cols) * size_of::<T>() }
}

// ------------------------------------------------------------------------------- text

impl FromCells for &str {
    const KIND: &'static Kind = TEXT;
    unsafe fn take(cells: &mut Cells) -> Self {
        let bytes = unsafe { <&[u8]>::take(cells) };
        match core::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => panic!("these bytes are not UTF-8 text: {error}"),
        }
    }
}

impl FromCells for String {
    const KIND: &'static Kind = TEXT;
    unsafe fn take(cells: &mut Cells) -> Self {
        unsafe { <&str>::take(cells) }.to_owned()
    }
}

impl FromCells for char {
    const KIND: &'static Kind = TEXT;
    unsafe fn take(cells: &mut Cells) -> Self {
        let text = unsafe { <&str>::take(cells) };
        let mut characters = text.chars();
        match (characters.next(), characters.next()) {
            (Some(only), None) => only,
            _ => panic!("a char is one character, and this text has {}", text.chars().count()),
        }
    }
}

impl IntoCells for &str {
    const KIND: &'static Kind = TEXT;
    unsafe fn put(self, out: &mut Out) -> Result<(), String> {
        unsafe { self.as_bytes().put(out) }
    }
}

impl IntoCells for String {
    const KIND: &'static Kind = TEXT;
    unsafe fn put(self, out: &mut Out) -> Result<(), String> {
        unsafe { self.into_bytes().put(out) }
    }
}

impl IntoCells for char {
    const KIND: &'static Kind = TEXT;
    unsafe fn put(self, out: &mut Out) -> Result<(), String> {
        unsafe { self.to_string().put(out) }
    }
}

// ------------------------------------------------------------------------------- made of others

impl IntoCells for () {
    const KIND: &'static Kind = &Kind { kind: "void", ..Kind::UNMAPPED };
    unsafe fn put(self, _: &mut Out) -> Result<(), String> {
        Ok(())
    }
}

macro_rules! solid {
    ($($T:ty),*) => { $(impl Solid for $T {})* };
}
solid!(&str, String, char);
impl<T> Solid for &[T] {}
impl<T> Solid for &mut [T] {}
impl<T> Solid for Vec<T> {}
impl<T> Solid for Box<[T]> {}
impl<T, const N: usize> Solid for [T; N] {}
impl<T> Solid for View2<'_, T> {}
impl<T> Solid for ViewMut2<'_, T> {}
impl<T: Lent> Solid for &T {}

impl Lent for String {}
impl<T: Element> Lent for Vec<T> {}
impl<T: Element, const N: usize> Lent for [T; N] {}

impl<T: Lent> FromCells for &T {
    const KIND: &'static Kind = T::KIND;
    unsafe fn take(cells: &mut Cells) -> Self {
        let kept: Box<T> = Box::new(unsafe { T::take(cells) });
        let address: *const T = &*kept;
        cells.kept.push(kept);
        // SAFETY: the box stays where it is until the call is over.
        unsafe { &*address }
    }
}

/// A number that is lent is copied, such as the first of a slice.
impl<T: Element + IntoCells> IntoCells for &T {
    const KIND: &'static Kind = <T as IntoCells>::KIND;
    unsafe fn put(self, out: &mut Out) -> Result<(), String> {
        unsafe { (*self).put(out) }
    }
}

impl<T: FromCells + Solid> FromCells for Option<T> {
    const KIND: &'static Kind = &const { Kind { kind: "optional", child: Some(T::KIND), ..Kind::UNMAPPED } };
    unsafe fn take(cells: &mut Cells) -> Self {
        if cells.next() == 0 {
            cells.skip(const { argument_cell_count(T::KIND) });
            return None;
        }
        Some(unsafe { T::take(cells) })
    }
}

impl<T: IntoCells + Solid> IntoCells for Option<T> {
    const KIND: &'static Kind = &const { Kind { kind: "optional", child: Some(T::KIND), ..Kind::UNMAPPED } };
    unsafe fn put(self, out: &mut Out) -> Result<(), String> {
        out.put(self.is_some() as u64);
        match self {
            Some(value) => unsafe { value.put(out) },
            None => {
                for _ in 0..const { cell_count(T::KIND) } {
                    out.put(0);
                }
                Ok(())
            }
        }
    }
}

impl<T: IntoCells, E: Debug> IntoCells for Result<T, E> {
    const KIND: &'static Kind = &const { Kind { kind: "error_union", child: Some(T::KIND), ..Kind::UNMAPPED } };
    unsafe fn put(self, out: &mut Out) -> Result<(), String> {
        match self {
            Ok(value) => unsafe { value.put(out) },
            Err(error) => Err(format!("{error:?}")),
        }
    }
}

macro_rules! tuples {
    ($($number:tt $T:ident),*) => {
        impl<$($T: FromCells),*> FromCells for ($($T,)*) {
            const KIND: &'static Kind =
                &const { Kind { kind: "tuple", fields: &[$((stringify!($number), $T::KIND)),*], ..Kind::UNMAPPED } };
            unsafe fn take(cells: &mut Cells) -> Self {
                ($(unsafe { $T::take(cells) },)*)
            }
        }
        impl<$($T: IntoCells),*> IntoCells for ($($T,)*) {
            const KIND: &'static Kind =
                &const { Kind { kind: "tuple", fields: &[$((stringify!($number), $T::KIND)),*], ..Kind::UNMAPPED } };
            unsafe fn put(self, out: &mut Out) -> Result<(), String> {
                $(unsafe { self.$number.put(out) }?;)*
                Ok(())
            }
        }
        impl<$($T),*> Solid for ($($T,)*) {}
        impl<$($T: Lent),*> Lent for ($($T,)*) {}
    };
}

tuples!(0 A);
tuples!(0 A, 1 B);
tuples!(0 A, 1 B, 2 C);
tuples!(0 A, 1 B, 2 C, 3 D);
tuples!(0 A, 1 B, 2 C, 3 D, 4 E);
tuples!(0 A, 1 B, 2 C, 3 D, 4 E, 5 F);
tuples!(0 A, 1 B, 2 C, 3 D, 4 E, 5 F, 6 G);
tuples!(0 A, 1 B, 2 C, 3 D, 4 E, 5 F, 6 G, 7 H);

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
    let mut out = Out { next: ret, kept: Vec::new() };
    match panics::caught(|| body(&mut cells, &mut out)) {
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
    LAST_ERROR.with_borrow_mut(|last| {
        let length = text.len();
        *last = text.into_bytes();
        last.push(0);
        // SAFETY: every function has at least two cells for its result.
        unsafe {
            *ret = last.as_ptr() as u64;
            *ret.add(1) = length as u64;
        }
    });
    STATUS_ERROR
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
        drop(unsafe { Box::from_raw(handle as *mut Vec<Box<dyn Any>>) });
    }
}
