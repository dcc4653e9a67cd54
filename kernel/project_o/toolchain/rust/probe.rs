//! How a shim asks of any type whether it is mapped, without an error where it is not.
//!
//! A name is looked up among the inherent items of `Probe<T>` first, and those exist only where `T` is mapped; else the
//! traits below answer, which are there for every type. This works for types that are known where it is written, behind
//! aliases too, which is what a shim has.

use crate::call::{Cells, Out};
use crate::cells::{FromCells, IntoCells, Part};
use crate::kind::Kind;
use core::marker::PhantomData;

pub struct Probe<T: ?Sized>(PhantomData<T>);

impl<T: FromCells> Probe<T> {
    pub const PARAMETER: &'static Kind = T::KIND;

    /// SAFETY: as `FromCells::take`.
    #[inline(always)]
    pub unsafe fn take(cells: &mut Cells) -> T {
        unsafe { T::take(cells) }
    }
}

impl<T: IntoCells> Probe<T> {
    pub const RESULT: &'static Kind = T::KIND;

    /// SAFETY: as `IntoCells::put`.
    #[inline(always)]
    pub unsafe fn put(value: T, out: &mut Out) -> Result<(), String> {
        unsafe { value.put(out) }
    }
}

impl<T: Part> Probe<T> {
    pub const PART: &'static Kind = T::PART;
}

pub trait NotAPart<T> {
    const PART: &'static Kind = &Kind::UNMAPPED;
}

impl<T> NotAPart<T> for Probe<T> {}

pub trait NotTaken<T> {
    const PARAMETER: &'static Kind = &Kind::UNMAPPED;

    /// SAFETY: never called, because the function is not offered.
    unsafe fn take(_: &mut Cells) -> T {
        unreachable!("a parameter of this type cannot be passed from Python")
    }
}

impl<T> NotTaken<T> for Probe<T> {}

pub trait NotGiven<T> {
    const RESULT: &'static Kind = &Kind::UNMAPPED;

    /// SAFETY: never called, because the function is not offered.
    unsafe fn put(_: T, _: &mut Out) -> Result<(), String> {
        unreachable!("a result of this type cannot be returned to Python")
    }
}

impl<T> NotGiven<T> for Probe<T> {}
