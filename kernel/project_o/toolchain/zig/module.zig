//! What the library is, beyond its text. This is the one of a cell; a library module brings its own, written from its
//! module.json.

pub const is_module = false;
/// What stands before a function's name in its symbol.
pub const prefix = "o_cell_";
pub const name: ?[:0]const u8 = null;
pub const version: ?[:0]const u8 = null;
pub const git_hash: [:0]const u8 = "";
/// Whether a state may be handed over to another build.
pub const hot_reload = true;
