//! The body of a polling request.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| actix_engineio::codec_properties::check_payload(input));
