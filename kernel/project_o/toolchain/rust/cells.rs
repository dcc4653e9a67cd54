//! How values cross: what a parameter and a result may be. Arrays and views are in `arrays.rs`.

use crate::arrays::slice_of;
use crate::call::{Cells, Out};
use crate::half::F16;
use crate::kind::{Kind, argument_cell_count, cell_count};
use crate::panics::refuse;
use crate::strided::{View, ViewMut};
use crate::views::{View2, ViewMut2};
use core::fmt::Debug;

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

/// What an array of numpy's may hold: a number, or a struct of such as it lies in memory.
pub trait Item: 'static {
    const ITEM: &'static Kind;
}

/// What a struct in an array may be made of: what an array may hold, and a few numbers side by side.
pub trait Part: 'static {
    const PART: &'static Kind;
}

/// A number that numpy has a type for.
pub trait Element: Item + Copy {}

// ------------------------------------------------------------------------------- numbers

macro_rules! numbers {
    ($($T:ty, $kind:literal, $bits:expr, $signed:literal, $cell:ident => $from:expr, $value:ident => $into:expr;)*) => {$(
        impl Item for $T {
            const ITEM: &'static Kind = &Kind { kind: $kind, bits: $bits, signed: $signed, ..Kind::UNMAPPED };
        }
        impl Part for $T {
            const PART: &'static Kind = Self::ITEM;
        }
        impl Element for $T {}
        impl FromCells for $T {
            const KIND: &'static Kind = Self::ITEM;
            #[inline(always)]
            unsafe fn take(cells: &mut Cells) -> Self {
                let $cell = cells.next();
                $from
            }
        }
        impl IntoCells for $T {
            const KIND: &'static Kind = Self::ITEM;
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
    F16, "float", 16, true, c => F16::from(f64::from_bits(c)), v => f64::from(v).to_bits();
}

macro_rules! wide_numbers {
    ($($T:ty, $signed:literal;)*) => {$(
        impl FromCells for $T {
            const KIND: &'static Kind = &Kind { kind: "int", bits: 128, signed: $signed, ..Kind::UNMAPPED };
            unsafe fn take(cells: &mut Cells) -> Self {
                let low = cells.next() as u128;
                (low | (cells.next() as u128) << 64) as $T
            }
        }
        impl IntoCells for $T {
            const KIND: &'static Kind = <Self as FromCells>::KIND;
            unsafe fn put(self, out: &mut Out) -> Result<(), String> {
                out.put(self as u64);
                out.put((self as u128 >> 64) as u64);
                Ok(())
            }
        }
        impl Solid for $T {}
        impl Lent for $T {}
    )*};
}

wide_numbers! {
    i128, true;
    u128, false;
}

// ------------------------------------------------------------------------------- text

const TEXT: &Kind = &slice_of(u8::ITEM, true);

impl FromCells for &str {
    const KIND: &'static Kind = TEXT;
    unsafe fn take(cells: &mut Cells) -> Self {
        let bytes = unsafe { <&[u8]>::take(cells) };
        match core::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => refuse(format!("these bytes are not UTF-8 text: {error}")),
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
            _ => refuse(format!("a char is one character, and this text has {}", text.chars().count())),
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
impl<T, const N: usize> Solid for View<'_, T, N> {}
impl<T, const N: usize> Solid for ViewMut<'_, T, N> {}
impl<T: Lent> Solid for &T {}

impl Lent for String {}
impl<T: Item + Clone> Lent for Vec<T> {}
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
