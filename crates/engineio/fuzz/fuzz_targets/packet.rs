//! One Engine.IO packet, as a text frame and as part of a polling payload.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| actix_engineio::codec_properties::check_packet(input));
