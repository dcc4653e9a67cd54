//! Two-dimensional views of numpy arrays: rows of contiguous elements, any distance from one row to the next.

use core::marker::PhantomData;
use core::ops::{Index, IndexMut};

/// A read-only view: `rows()` x `cols()` elements.
pub struct View2<'a, T> {
    pub(crate) data: *const T,
    pub(crate) rows: usize,
    pub(crate) cols: usize,
    pub(crate) stride: usize,
    pub(crate) life: PhantomData<&'a [T]>,
}

/// The writable twin of `View2`.
pub struct ViewMut2<'a, T> {
    pub(crate) data: *mut T,
    pub(crate) rows: usize,
    pub(crate) cols: usize,
    pub(crate) stride: usize,
    pub(crate) life: PhantomData<&'a mut [T]>,
}

impl<T> Clone for View2<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for View2<'_, T> {}

// SAFETY: a view is a slice with gaps: it may go where the slice may.
unsafe impl<T: Sync> Send for View2<'_, T> {}
unsafe impl<T: Sync> Sync for View2<'_, T> {}
unsafe impl<T: Send> Send for ViewMut2<'_, T> {}
unsafe impl<T: Sync> Sync for ViewMut2<'_, T> {}

impl<'a, T> View2<'a, T> {
    #[inline]
    pub fn rows(&self) -> usize {
        self.rows
    }

    #[inline]
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// Row `i` as a slice of `cols()` elements.
    #[inline]
    #[track_caller]
    pub fn row(&self, i: usize) -> &'a [T] {
        within(i, self.rows);
        // SAFETY: the host gave `rows` rows of `cols` elements, which live as long as the call.
        unsafe { core::slice::from_raw_parts(self.data.add(i * self.stride), self.cols) }
    }

    /// All rows from top to bottom.
    #[inline]
    pub fn iter(self) -> impl Iterator<Item = &'a [T]> {
        (0..self.rows).map(move |i| self.row(i))
    }
}

impl<T> ViewMut2<'_, T> {
    #[inline]
    pub fn rows(&self) -> usize {
        self.rows
    }

    #[inline]
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// Row `i` as a slice of `cols()` elements.
    #[inline]
    #[track_caller]
    pub fn row(&self, i: usize) -> &[T] {
        within(i, self.rows);
        // SAFETY: as in `View2`, and `self` is borrowed as long as the row.
        unsafe { core::slice::from_raw_parts(self.data.add(i * self.stride), self.cols) }
    }

    /// Row `i` as a writable slice of `cols()` elements.
    #[inline]
    #[track_caller]
    pub fn row_mut(&mut self, i: usize) -> &mut [T] {
        within(i, self.rows);
        // SAFETY: as above; rows do not overlap, and only one is lent at a time.
        unsafe { core::slice::from_raw_parts_mut(self.data.add(i * self.stride), self.cols) }
    }

    /// The same elements, read-only.
    #[inline]
    pub fn view(&self) -> View2<'_, T> {
        View2 { data: self.data, rows: self.rows, cols: self.cols, stride: self.stride, life: PhantomData }
    }
}

impl<T> Index<(usize, usize)> for View2<'_, T> {
    type Output = T;

    #[inline]
    #[track_caller]
    fn index(&self, (i, j): (usize, usize)) -> &T {
        &self.row(i)[j]
    }
}

impl<T> Index<(usize, usize)> for ViewMut2<'_, T> {
    type Output = T;

    #[inline]
    #[track_caller]
    fn index(&self, (i, j): (usize, usize)) -> &T {
        &self.row(i)[j]
    }
}

impl<T> IndexMut<(usize, usize)> for ViewMut2<'_, T> {
    #[inline]
    #[track_caller]
    fn index_mut(&mut self, (i, j): (usize, usize)) -> &mut T {
        &mut self.row_mut(i)[j]
    }
}

#[inline]
#[track_caller]
fn within(i: usize, rows: usize) {
    if i >= rows {
        panic!("index out of bounds: the len is {rows} but the index is {i}");
    }
}
