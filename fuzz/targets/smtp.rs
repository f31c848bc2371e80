//! See `crates/fuzz`.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| tanist_fuzz::check("smtp", octets));
