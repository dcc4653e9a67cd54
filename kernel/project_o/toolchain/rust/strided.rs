//! Views of numpy arrays with any number of dimensions and any strides: transposed, reversed, with gaps.

use core::marker::PhantomData;
use core::ops::{Index, IndexMut};

/// A read-only view of an array of `N` dimensions.
pub struct View<'a, T, const N: usize> {
    pub(crate) first: *const T,
    pub(crate) shape: [usize; N],
    pub(crate) strides: [isize; N],
    pub(crate) life: PhantomData<&'a [T]>,
}

/// The writable twin of `View`.
pub struct ViewMut<'a, T, const N: usize> {
    pub(crate) first: *mut T,
    pub(crate) shape: [usize; N],
    pub(crate) strides: [isize; N],
    pub(crate) life: PhantomData<&'a mut [T]>,
}

impl<T, const N: usize> Clone for View<'_, T, N> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T, const N: usize> Copy for View<'_, T, N> {}

// SAFETY: a view is a slice with gaps: it may go where the slice may.
unsafe impl<T: Sync, const N: usize> Send for View<'_, T, N> {}
unsafe impl<T: Sync, const N: usize> Sync for View<'_, T, N> {}
unsafe impl<T: Send, const N: usize> Send for ViewMut<'_, T, N> {}
unsafe impl<T: Sync, const N: usize> Sync for ViewMut<'_, T, N> {}

impl<T, const N: usize> View<'_, T, N> {
    /// The extent of each dimension.
    #[inline]
    pub fn shape(&self) -> [usize; N] {
        self.shape
    }

    /// How many elements there are.
    #[inline]
    pub fn count(&self) -> usize {
        self.shape.iter().product()
    }
}

impl<T, const N: usize> ViewMut<'_, T, N> {
    /// The extent of each dimension.
    #[inline]
    pub fn shape(&self) -> [usize; N] {
        self.shape
    }

    /// How many elements there are.
    #[inline]
    pub fn count(&self) -> usize {
        self.shape.iter().product()
    }

    /// The same elements, read-only.
    #[inline]
    pub fn view(&self) -> View<'_, T, N> {
        View { first: self.first, shape: self.shape, strides: self.strides, life: PhantomData }
    }
}

impl<T, const N: usize> Index<[usize; N]> for View<'_, T, N> {
    type Output = T;

    #[inline]
    #[track_caller]
    fn index(&self, index: [usize; N]) -> &T {
        // SAFETY: the host gave an array of this shape and these strides, which lives as long as the call.
        unsafe { &*self.first.offset(offset(&self.shape, &self.strides, index)) }
    }
}

impl<T, const N: usize> Index<[usize; N]> for ViewMut<'_, T, N> {
    type Output = T;

    #[inline]
    #[track_caller]
    fn index(&self, index: [usize; N]) -> &T {
        // SAFETY: as above.
        unsafe { &*self.first.offset(offset(&self.shape, &self.strides, index)) }
    }
}

impl<T, const N: usize> IndexMut<[usize; N]> for ViewMut<'_, T, N> {
    #[inline]
    #[track_caller]
    fn index_mut(&mut self, index: [usize; N]) -> &mut T {
        // SAFETY: as above, and `self` is borrowed as long as the element.
        unsafe { &mut *self.first.offset(offset(&self.shape, &self.strides, index)) }
    }
}

#[inline]
#[track_caller]
fn offset<const N: usize>(shape: &[usize; N], strides: &[isize; N], index: [usize; N]) -> isize {
    let mut found = 0;
    for k in 0..N {
        if index[k] >= shape[k] {
            panic!("index out of bounds: the len is {} but the index is {}", shape[k], index[k]);
        }
        found += index[k] as isize * strides[k];
    }
    found
}
