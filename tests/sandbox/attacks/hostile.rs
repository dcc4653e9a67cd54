//! Native attacks through Rust's standard library. Every function is (a, b, text) -> number in the shim ABI.
use std::io::Write;
use std::process::Command;

extern "C" {
    fn kill(pid: i32, signal: i32) -> i32;
}

fn text(args: *const u64) -> String {
    // SAFETY: the shim ABI: the third cell is the address of a text, the fourth its length.
    let bytes = unsafe { std::slice::from_raw_parts(*args.add(2) as *const u8, *args.add(3) as usize) };
    String::from_utf8_lossy(bytes).into_owned()
}

fn number(args: *const u64, at: usize) -> u64 {
    // SAFETY: the shim ABI: there are four cells.
    unsafe { *args.add(at) }
}

fn give(ret: *mut u64, value: u64) -> i32 {
    // SAFETY: the shim ABI: a number takes two cells.
    unsafe {
        *ret = value;
        *ret.add(1) = 0;
    }
    0
}

#[no_mangle]
pub extern "C" fn o_free(_: u64) {}

#[no_mangle]
pub extern "C" fn o_cell_native_rust_read(args: *const u64, ret: *mut u64) -> i32 {
    if let Ok(found) = std::fs::read_to_string(text(args)) {
        let _ = std::io::stdout().write_all(found.as_bytes());
        let _ = std::io::stdout().flush();
    }
    give(ret, 0)
}

#[no_mangle]
pub extern "C" fn o_cell_native_rust_write(args: *const u64, ret: *mut u64) -> i32 {
    give(ret, std::fs::write(text(args), "changed").is_ok() as u64)
}

#[no_mangle]
pub extern "C" fn o_cell_native_rust_kill(args: *const u64, ret: *mut u64) -> i32 {
    // SAFETY: kill(2) takes two numbers.
    give(ret, unsafe { kill(number(args, 0) as i32, number(args, 1) as i32) } as u64)
}

#[no_mangle]
pub extern "C" fn o_cell_native_rust_thread(args: *const u64, ret: *mut u64) -> i32 {
    let path = text(args);
    let made = std::thread::Builder::new().spawn(move || std::fs::write(path, "made"));
    give(ret, made.map(|thread| thread.join().is_ok()).unwrap_or(false) as u64)
}

#[no_mangle]
pub extern "C" fn o_cell_native_rust_command(args: *const u64, ret: *mut u64) -> i32 {
    give(ret, Command::new("/bin/touch").arg(text(args)).status().is_ok() as u64)
}

#[no_mangle]
pub extern "C" fn o_cell_native_rust_connect(args: *const u64, ret: *mut u64) -> i32 {
    let port = number(args, 0) as u16;
    give(ret, std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() as u64)
}
