#![no_main]

#[path = "../../properties/policy.rs"]
mod policy;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| policy::check(bytes));
