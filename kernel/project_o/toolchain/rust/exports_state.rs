// The contexts of a module with a state.

#[unsafe(export_name = "o_init")]
unsafe extern "C" fn o_init(out: *mut *mut ::core::ffi::c_void) -> ::core::primitive::i32 {
    // SAFETY: null, or a place for the context.
    unsafe { ::o::shim::init_state::<self::State>(out) }
}

#[unsafe(export_name = "o_shutdown")]
unsafe extern "C" fn o_shutdown(context: *mut ::core::ffi::c_void) -> ::core::primitive::i32 {
    // SAFETY: the host gives back a context that this module has made.
    unsafe { ::o::shim::shutdown_state::<self::State>(context) }
}

#[unsafe(export_name = "o_reload")]
unsafe extern "C" fn o_reload(context: *mut ::core::ffi::c_void) -> ::core::primitive::i32 {
    use ::o::shim::{Done as _, Reloaded as _};
    // SAFETY: as above, and the layout of the state is that of the build that made it.
    unsafe { ::o::shim::reload_state::<self::State>(context, |state| state.reloaded().done()) }
}

#[unsafe(export_name = "o_state_layout")]
static __O_STATE_LAYOUT: [::core::primitive::u8; ::o::shim::layout_length(__O_STATE_TYPES)] =
    ::o::shim::layout(__O_STATE_TYPES);
