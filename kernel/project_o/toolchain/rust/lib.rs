//! What a Rust cell may use as `o`: views of numpy arrays, and a float of 16 bits. `View2` has contiguous rows and is the
//! faster one; `View` has any number of dimensions and any strides. Beside it, what the generated shims of every cell
//! share: how values cross (`call`, `cells`, `arrays`), what types are and say of themselves (`kind`, `describe`), and how
//! a panic is told (`panics`).
//!
//!     pub fn trace(m: o::View2<f64>) -> f64 { (0..m.rows()).map(|i| m[(i, i)]).sum() }

mod arrays;
mod call;
mod cells;
mod describe;
mod half;
mod kind;
mod module;
mod panics;
mod probe;
mod state;
mod strided;
mod views;

pub use half::F16;
pub use strided::{View, ViewMut};
pub use views::{View2, ViewMut2};

/// For the generated shims only.
#[doc(hidden)]
pub mod shim {
    pub use crate::call::{Cells, Out, call, free, last_error};
    pub use crate::cells::{FromCells, IntoCells, Item, Lent, Part, Solid};
    pub use crate::describe::{description, description_length};
    pub use crate::kind::{Function, Kind, any_negative, numbers_of, writes};
    pub use crate::module::{VersionStruct, init, shutdown, version, zero_ended};
    pub use crate::panics::{OnPanic, set_panic};
    pub use crate::probe::{NotAPart, NotGiven, NotTaken, Probe};
    pub use crate::state::{
        CHANGED, Done, Laid, READ, Reloaded, check, init_state, layout, layout_length, reload_state, shutdown_state,
        state_of, status_of,
    };
}
