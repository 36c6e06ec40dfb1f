//! Event offsets: the position of an event in its namespace, and its form on the wire.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The position of an event in its namespace. It increases with every event, also across restarts.
pub(crate) type Sequence = u64;

/// The offset that follows an event on the wire.
pub(crate) fn encode_offset(sequence: Sequence) -> String {
    URL_SAFE_NO_PAD.encode(sequence.to_be_bytes())
}

/// The position in an offset that a client presents. `None` if this server cannot have sent it.
pub(crate) fn decode_offset(offset: &str) -> Option<Sequence> {
    let mut bytes = [0; size_of::<Sequence>()];
    let length = URL_SAFE_NO_PAD.decode_slice(offset, &mut bytes).ok()?;
    (length == bytes.len()).then(|| Sequence::from_be_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decoded_offset_equals_the_encoded_one() {
        for sequence in [0, 1, u64::MAX] {
            assert_eq!(decode_offset(&encode_offset(sequence)), Some(sequence));
        }
        for text in ["", "x", "AAAAAAAAAAAAAAAAAAAAAAAA", "§"] {
            assert_eq!(decode_offset(text), None);
        }
    }
}
