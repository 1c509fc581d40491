#![no_main]

#[path = "../../properties/given.rs"]
mod given;
#[path = "../../properties/heads.rs"]
mod heads;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| heads::check(bytes));
