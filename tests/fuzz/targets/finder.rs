#![no_main]

#[path = "../../properties/finder.rs"]
mod finder;
#[path = "../../properties/given.rs"]
mod given;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| finder::check(bytes));
