// The context of a library without a state of its own.

#[unsafe(export_name = "o_init")]
unsafe extern "C" fn o_init(out: *mut *const ::core::primitive::u8) -> ::core::primitive::i32 {
    // SAFETY: null, or a place for the context.
    unsafe { ::o::shim::init(out) }
}

#[unsafe(export_name = "o_shutdown")]
extern "C" fn o_shutdown(context: *const ::core::primitive::u8) -> ::core::primitive::i32 {
    ::o::shim::shutdown(context)
}
