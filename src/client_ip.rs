//! The client's IP address.
//!
//! `X-Forwarded-For` is only trusted from configured proxies, and only as far as each hop is one: read from its end, the
//! first address that is no trusted proxy is the client. A client can forge everything before that. Other forwarding
//! headers are ignored.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::http::header::HeaderMap;
use ipnet::IpNet;
use serde::Deserialize;

/// Lists the hops of a request, the nearest last.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// A network, or a single address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Network(IpNet);

/// A text that is no valid network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not allowed; allowed: addresses and networks such as 10.0.0.0/8 or fd00::/8, and not all of them (/0)"
)]
pub struct UnknownNetwork(String);

impl TryFrom<String> for Network {
    type Error = UnknownNetwork;

    fn try_from(text: String) -> Result<Self, UnknownNetwork> {
        let network = text.parse::<IpNet>().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
        // Trusting every address would let every client forge its own.
        network
            .filter(|network| network.prefix_len() > 0)
            .map(|network| Self(network.trunc()))
            .ok_or(UnknownNetwork(text))
    }
}

/// Proxies that are trusted to report client addresses. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies(Arc<[Network]>);

impl TrustedProxies {
    /// The proxies in these networks.
    #[must_use]
    pub fn new(networks: &[Network]) -> Self {
        Self(networks.into())
    }

    /// The client's address; none if the transport has no addresses.
    #[must_use]
    pub fn client_of(&self, request: &HttpRequest) -> Option<IpAddr> {
        let peer = request.peer_addr().as_ref().map(SocketAddr::ip)?;
        Some(self.client(peer, request.headers()))
    }

    fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut known = peer.to_canonical();
        if !self.trusts(known) {
            return known;
        }
        let lines: Vec<_> = headers.get_all(FORWARDED_FOR).collect();
        let hops = lines.iter().rev().flat_map(|line| line.to_str().unwrap_or_default().rsplit(','));
        for hop in hops {
            // The proxy could not name the client: the nearest known hop counts.
            let Some(address) = address(hop.trim()) else { break };
            known = address;
            if !self.trusts(known) {
                break;
            }
        }
        known
    }

    /// Whether an address is one of these proxies.
    #[must_use]
    pub fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.0.contains(&address))
    }
}

/// Parses an address; some proxies add the port.
fn address(hop: &str) -> Option<IpAddr> {
    let bare = hop.strip_prefix('[').and_then(|hop| hop.strip_suffix(']')).unwrap_or(hop);
    let parsed = bare.parse::<IpAddr>().ok().or_else(|| hop.parse::<SocketAddr>().ok().map(|address| address.ip()));
    parsed.map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    fn network(text: &str) -> Result<Network, UnknownNetwork> {
        Network::try_from(text.to_owned())
    }

    fn client(trusted: &[&str], peer: &str, forwarded: &[&str]) -> String {
        let networks: Vec<_> = trusted.iter().map(|text| network(text).expect("a network")).collect();
        let mut headers = HeaderMap::new();
        for line in forwarded {
            let value = HeaderValue::from_bytes(line.as_bytes()).expect("a value");
            headers.append(HeaderName::from_static(FORWARDED_FOR), value);
        }
        TrustedProxies::new(&networks).client(peer.parse().expect("an address"), &headers).to_string()
    }

    #[test]
    fn a_forwarding_header_from_an_untrusted_address_is_ignored() {
        assert_eq!(client(&[], "203.0.113.9", &["198.51.100.7"]), "203.0.113.9");
        assert_eq!(client(&["10.0.0.0/8"], "203.0.113.9", &["198.51.100.7"]), "203.0.113.9");
        assert_eq!(client(&["10.0.0.0/8"], "11.0.0.1", &["10.0.0.1"]), "11.0.0.1");
    }

    #[test]
    fn a_trusted_proxy_is_believed() {
        assert_eq!(client(&["10.0.0.0/8"], "10.1.2.3", &["198.51.100.7"]), "198.51.100.7");
        assert_eq!(client(&["10.1.2.3"], "10.1.2.3", &["198.51.100.7"]), "198.51.100.7");
        assert_eq!(client(&["fd00::/8"], "fd00::1", &["2001:db8::7"]), "2001:db8::7");
        assert_eq!(client(&["10.0.0.0/8"], "10.1.2.3", &[]), "10.1.2.3");
    }

    #[test]
    fn what_a_client_adds_to_the_header_is_ignored() {
        // The proxy appends the address that it saw.
        for written in ["1.2.3.4", "10.0.0.7", "127.0.0.1", "1.2.3.4, 10.0.0.7", "unknown", ",,", "::1, ::1"] {
            let forwarded = format!("{written}, 198.51.100.7");
            assert_eq!(client(&["10.0.0.0/8"], "10.1.2.3", &[&forwarded]), "198.51.100.7", "{written}");
            assert_eq!(client(&["10.0.0.0/8"], "10.1.2.3", &[written, "198.51.100.7"]), "198.51.100.7", "{written}");
        }
    }

    #[test]
    fn several_proxies_are_followed_as_far_as_each_is_trusted() {
        let trusted = ["10.0.0.0/8", "192.0.2.0/24"];
        assert_eq!(client(&trusted, "10.0.0.1", &["1.2.3.4, 198.51.100.7, 192.0.2.8, 10.9.9.9"]), "198.51.100.7");
        assert_eq!(client(&trusted, "10.0.0.1", &["1.2.3.4, 198.51.100.7", "192.0.2.8", "10.9.9.9"]), "198.51.100.7");
        // All hops are trusted: the farthest one is the client.
        assert_eq!(client(&trusted, "10.0.0.1", &["192.0.2.8, 10.9.9.9"]), "192.0.2.8");
    }

    #[test]
    fn if_the_proxy_cannot_name_the_client_the_nearest_known_hop_counts() {
        for unknown in ["unknown", "", "_hidden", "1.2.3.4.5", "\u{e9}"] {
            assert_eq!(client(&["10.0.0.0/8"], "10.1.2.3", &[unknown]), "10.1.2.3", "{unknown}");
            let forwarded = format!("{unknown}, 10.9.9.9");
            assert_eq!(
                client(&["10.0.0.0/8"], "10.1.2.3", &[&forwarded, "10.8.8.8"]),
                if unknown == "\u{e9}" { "10.8.8.8" } else { "10.9.9.9" },
                "{unknown}"
            );
        }
    }

    #[test]
    fn an_address_may_have_a_port_or_brackets_or_be_an_ipv4_mapped_ipv6_address() {
        for (hop, expected) in [
            ("198.51.100.7:4711", "198.51.100.7"),
            ("[2001:db8::7]:4711", "2001:db8::7"),
            ("[2001:db8::7]", "2001:db8::7"),
            ("::ffff:198.51.100.7", "198.51.100.7"),
        ] {
            assert_eq!(client(&["10.0.0.0/8"], "::ffff:10.1.2.3", &[hop]), expected);
        }
    }

    #[test]
    fn a_network_is_an_address_or_a_prefix_and_never_all_addresses() {
        for good in ["10.0.0.0/8", "10.1.2.3", "10.1.2.3/8", "::1", "fd00::/8"] {
            assert!(network(good).is_ok(), "{good}");
        }
        assert_eq!(network("10.1.2.3/8"), network("10.0.0.0/8"));
        for bad in ["", "10.0.0.0/33", "localhost", "10.0.0", "0.0.0.0/0", "::/0", "10.0.0.0/"] {
            assert!(network(bad).is_err(), "{bad}");
        }
    }
}
