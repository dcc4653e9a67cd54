// The end of every shim: the module ABI. The description is read from the file, never by a call.

#[unsafe(export_name = "o_description")]
static __O_DESCRIPTION: [::core::primitive::u8; ::o::shim::description_length(__O_FUNCTIONS)] =
    ::o::shim::description(__O_FUNCTIONS);

#[unsafe(export_name = "o_describe")]
extern "C" fn o_describe() -> *const ::core::primitive::u8 {
    &raw const __O_DESCRIPTION[0]
}

#[unsafe(export_name = "o_set_panic")]
extern "C" fn o_set_panic(function: ::o::shim::OnPanic) {
    ::o::shim::set_panic(function)
}

#[unsafe(export_name = "o_free")]
unsafe extern "C" fn o_free(handle: ::core::primitive::u64) {
    // SAFETY: the host gives back a handle that a call of this library gave.
    unsafe { ::o::shim::free(handle) }
}

#[unsafe(export_name = "o_get_name")]
extern "C" fn o_get_name() -> *const ::core::primitive::u8 {
    &raw const __O_NAME[0]
}

#[unsafe(export_name = "o_get_version")]
extern "C" fn o_get_version() -> *const ::core::primitive::u8 {
    &raw const __O_VERSION[0]
}

#[unsafe(export_name = "o_get_version_struct")]
extern "C" fn o_get_version_struct() -> *const ::o::shim::VersionStruct {
    &raw const __O_VERSION_STRUCT
}

#[unsafe(export_name = "o_get_last_error")]
extern "C" fn o_get_last_error(_: *const ::core::primitive::u8) -> *const ::core::primitive::u8 {
    ::o::shim::last_error()
}

#[unsafe(export_name = "o_can_reload")]
extern "C" fn o_can_reload() -> ::core::primitive::i32 {
    __O_HOT_RELOAD as ::core::primitive::i32
}
