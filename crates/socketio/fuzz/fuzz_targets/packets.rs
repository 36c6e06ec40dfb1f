//! The messages of one Socket.IO connection.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| actix_socketio::codec_properties::check_packets(input));
