//! Arrays: slices in place, vectors as copies, views of two dimensions, and a few elements by value.

use crate::call::{Cells, Out};
use crate::cells::{Element, FromCells, IntoCells};
use crate::kind::Kind;
use crate::views::{View2, ViewMut2};
use core::marker::PhantomData;
use core::slice;

pub(crate) const fn slice_of(element: &'static Kind, constant: bool) -> Kind {
    Kind { kind: "slice", constant, child: Some(element), ..Kind::UNMAPPED }
}

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
        out.borrows = true;
        Ok(())
    }
}

impl<T: Element> IntoCells for &mut [T] {
    const KIND: &'static Kind = &const { slice_of(T::ELEMENT, false) };
    unsafe fn put(self, out: &mut Out) -> Result<(), String> {
        out.put(self.as_ptr() as u64);
        out.put(self.len() as u64);
        out.borrows = true;
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
