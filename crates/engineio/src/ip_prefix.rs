//! The prefix of an address that limits count by.

use std::net::{IpAddr, Ipv6Addr};

/// The prefix that limits per address count by: IPv4 /32, IPv6 /64.
///
/// The holder of one IPv6 address usually has its entire /64 network. An IPv4-mapped IPv6 address counts as the IPv4
/// address.
///
/// ```
/// use actix_engineio::ip_prefix;
///
/// let [first, second] = ["2001:db8::1", "2001:db8::2:2"].map(|address| address.parse().unwrap());
/// assert_eq!(ip_prefix(first), ip_prefix(second));
/// ```
#[must_use]
pub fn ip_prefix(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64))),
        address @ IpAddr::V4(_) => address,
    }
}
