//! What a Rust cell may use as `o`: two-dimensional views of numpy arrays. Beside it, what the generated shims of every
//! cell share: how values cross (`call`, `cells`, `arrays`), how types describe themselves (`kind`), and how a panic is told (`panics`).
//!
//!     pub fn trace(m: o::View2<f64>) -> f64 { (0..m.rows()).map(|i| m[(i, i)]).sum() }

mod arrays;
mod call;
mod cells;
mod kind;
mod module;
mod panics;
mod probe;
mod state;
mod views;

pub use views::{View2, ViewMut2};

/// For the generated shims only.
#[doc(hidden)]
pub mod shim {
    pub use crate::call::{Cells, Out, call, free, last_error};
    pub use crate::cells::{FromCells, IntoCells, Lent, Solid};
    pub use crate::kind::{Function, Kind, description, description_length, writes};
    pub use crate::module::{VersionStruct, init, shutdown, version, zero_ended};
    pub use crate::panics::{OnPanic, set_panic};
    pub use crate::probe::{NotGiven, NotTaken, Probe};
    pub use crate::state::{
        CHANGED, Done, Laid, READ, Reloaded, check, init_state, layout, layout_length, reload_state, shutdown_state,
        state_of, status_of,
    };
}
