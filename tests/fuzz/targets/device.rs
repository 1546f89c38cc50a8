#![no_main]
//! The target `device`: see `checks.rs`.

#[path = "../checks.rs"]
#[allow(dead_code, reason = "each target calls one of them")]
mod checks;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    checks::device(bytes);
});
