#![no_main]

#[path = "../../properties/given.rs"]
mod given;
#[path = "../../properties/terminal.rs"]
mod terminal;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| terminal::check(bytes));
