//! Requirements for RSA public keys.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Bits of the modulus: RS256 requires 2048 (RFC 7518, section 3.3), and the library supports at most 4096.
const BITS: std::ops::RangeInclusive<usize> = 2048..=4096;

/// Checks modulus and exponent, both in base64url.
pub(super) fn check(modulus: &str, exponent: &str) -> Result<(), String> {
    let modulus = number(modulus)?;
    let bits = modulus.first().map_or(0, |first| modulus.len() * 8 - first.leading_zeros() as usize);
    if !BITS.contains(&bits) {
        return Err(format!("it has {bits} bits; RSA keys have {} to {}", BITS.start(), BITS.end()));
    }
    let exponent = number(exponent)?;
    let is_odd = exponent.last().is_some_and(|last| last % 2 == 1);
    if !is_odd || exponent == [1] || exponent.len() > 4 {
        return Err("its exponent is not an odd number from 3 to 4294967295".to_owned());
    }
    Ok(())
}

/// Big-endian, without leading zeros.
fn number(text: &str) -> Result<Vec<u8>, String> {
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| "a number in it is not base64url".to_owned())?;
    Ok(bytes.into_iter().skip_while(|byte| *byte == 0).collect())
}
