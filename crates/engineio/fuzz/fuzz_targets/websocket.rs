//! The bytes of a client's WebSocket.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| actix_engineio::codec_properties::check_websocket(input));
