//! Whose an address is.

use std::net::{IpAddr, Ipv6Addr};

/// What an address counts as: of IPv6 the network of 64 bits, since whoever has one address there has them all. An
/// address of IPv4 that is written as one of IPv6 is that of IPv4.
#[must_use]
pub fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64))),
        address @ IpAddr::V4(_) => address,
    }
}
