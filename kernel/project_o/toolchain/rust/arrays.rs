//! Arrays: slices in place, vectors as copies, views of two dimensions, and a few elements by value.

use crate::call::{Cells, Out};
use crate::cells::{Element, FromCells, IntoCells, Item, Part};
use crate::kind::Kind;
use crate::strided::{View, ViewMut};
use crate::views::{View2, ViewMut2};
use core::marker::PhantomData;
use core::slice;

pub(crate) const fn slice_of(element: &'static Kind, constant: bool) -> Kind {
    Kind { kind: "slice", constant, child: Some(element), ..Kind::UNMAPPED }
}

impl<T: Item> FromCells for &[T] {
    const KIND: &'static Kind = &const { slice_of(T::ITEM, true) };
    #[inline(always)]
    unsafe fn take(cells: &mut Cells) -> Self {
        let data = cells.address::<T>();
        let length = cells.next() as usize;
        cells.claim(data, length * size_of::<T>(), false);
        // SAFETY: the host passes aligned memory of this length, which lives as long as the call.
        unsafe { slice::from_raw_parts(data, length) }
    }
}

impl<T: Item> FromCells for &mut [T] {
    const KIND: &'static Kind = &const { slice_of(T::ITEM, false) };
    #[inline(always)]
    unsafe fn take(cells: &mut Cells) -> Self {
        let data = cells.address::<T>();
        let length = cells.next() as usize;
        cells.claim(data, length * size_of::<T>(), true);
        // SAFETY: as above; `claim` has seen to it that no other argument is there.
        unsafe { slice::from_raw_parts_mut(data, length) }
    }
}

impl<T: Item + Clone> FromCells for Vec<T> {
    const KIND: &'static Kind = <&[T] as FromCells>::KIND;
    unsafe fn take(cells: &mut Cells) -> Self {
        unsafe { <&[T]>::take(cells) }.to_vec()
    }
}

impl<T: Item> IntoCells for &[T] {
    const KIND: &'static Kind = &const { slice_of(T::ITEM, true) };
    unsafe fn put(self, out: &mut Out) -> Result<(), String> {
        out.put(self.as_ptr() as u64);
        out.put(self.len() as u64);
        out.borrows = true;
        Ok(())
    }
}

impl<T: Item> IntoCells for &mut [T] {
    const KIND: &'static Kind = &const { slice_of(T::ITEM, false) };
    unsafe fn put(self, out: &mut Out) -> Result<(), String> {
        out.put(self.as_ptr() as u64);
        out.put(self.len() as u64);
        out.borrows = true;
        Ok(())
    }
}

impl<T: Item> IntoCells for Vec<T> {
    const KIND: &'static Kind = <&mut [T] as FromCells>::KIND;
    unsafe fn put(self, out: &mut Out) -> Result<(), String> {
        out.put(self.as_ptr() as u64);
        out.put(self.len() as u64);
        out.kept.push(Box::new(self));
        Ok(())
    }
}

impl<T: Item> IntoCells for Box<[T]> {
    const KIND: &'static Kind = <&mut [T] as FromCells>::KIND;
    unsafe fn put(self, out: &mut Out) -> Result<(), String> {
        unsafe { self.into_vec().put(out) }
    }
}

/// A row of an array of two dimensions.
impl<T: Element, const N: usize> Item for [T; N] {
    const ITEM: &'static Kind = <[T; N] as FromCells>::KIND;
}

impl<T: Element, const N: usize> Part for [T; N] {
    const PART: &'static Kind = <[T; N] as FromCells>::KIND;
}

impl<T: Element, const N: usize> FromCells for [T; N] {
    const KIND: &'static Kind =
        &const { Kind { kind: "array", length: N, child: Some(T::ITEM), ..Kind::UNMAPPED } };
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
        &const { Kind { kind: "matrix", constant: true, child: Some(T::ITEM), ..Kind::UNMAPPED } };
    unsafe fn take(cells: &mut Cells) -> Self {
        let data = cells.address::<T>();
        let (rows, cols, stride) = (cells.next() as usize, cells.next() as usize, cells.next() as usize);
        cells.claim(data, matrix_bytes::<T>(rows, cols, stride), false);
        View2 { data, rows, cols, stride, life: PhantomData }
    }
}

impl<T: Element> FromCells for ViewMut2<'_, T> {
    const KIND: &'static Kind = &const { Kind { kind: "matrix", child: Some(T::ITEM), ..Kind::UNMAPPED } };
    unsafe fn take(cells: &mut Cells) -> Self {
        let data = cells.address::<T>();
        let (rows, cols, stride) = (cells.next() as usize, cells.next() as usize, cells.next() as usize);
        cells.claim(data, matrix_bytes::<T>(rows, cols, stride), true);
        ViewMut2 { data, rows, cols, stride, life: PhantomData }
    }
}

const fn view_of(element: &'static Kind, dimensions: usize, constant: bool) -> Kind {
    // Beyond what numpy and the cells of a call have room for, there is no counterpart.
    let rows = matches!(element.kind.as_bytes(), b"array");
    let kind = if dimensions < 1 || dimensions > 8 || rows { "" } else { "view" };
    Kind { kind, constant, length: dimensions, child: Some(element), ..Kind::UNMAPPED }
}

/// SAFETY: the cells are those of a view of N dimensions.
unsafe fn take_view<T, const N: usize>(cells: &mut Cells, writes: bool) -> (*mut T, [usize; N], [isize; N]) {
    let first = cells.address::<T>();
    let shape: [usize; N] = core::array::from_fn(|_| cells.next() as usize);
    let strides: [isize; N] = core::array::from_fn(|_| cells.next() as isize);
    let (mut low, mut high) = (0, 0);
    for (&extent, &stride) in shape.iter().zip(&strides) {
        let reach = extent.saturating_sub(1) as isize * stride;
        if reach < 0 { low += reach } else { high += reach }
    }
    if !shape.contains(&0) {
        let bytes = ((high - low) as usize + 1) * size_of::<T>();
        cells.claim(first.wrapping_offset(low), bytes, writes);
    }
    (first, shape, strides)
}

impl<T: Item, const N: usize> FromCells for View<'_, T, N> {
    const KIND: &'static Kind = &const { view_of(T::ITEM, N, true) };
    unsafe fn take(cells: &mut Cells) -> Self {
        let (first, shape, strides) = unsafe { take_view(cells, false) };
        View { first, shape, strides, life: PhantomData }
    }
}

impl<T: Item, const N: usize> FromCells for ViewMut<'_, T, N> {
    const KIND: &'static Kind = &const { view_of(T::ITEM, N, false) };
    unsafe fn take(cells: &mut Cells) -> Self {
        let (first, shape, strides) = unsafe { take_view(cells, true) };
        ViewMut { first, shape, strides, life: PhantomData }
    }
}

fn matrix_bytes<T>(rows: usize, cols: usize, stride: usize) -> usize {
    if rows == 0 { 0 } else { ((rows - 1) * stride + cols) * size_of::<T>() }
}
