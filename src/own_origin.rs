//! Whether a request comes from a page of this server's own origin. Browsers name the origin of such a page too, when it
//! opens a WebSocket or posts, and React Native always does; it is allowed whatever `cors.origins` lists.
//!
//! The origin is this server's own if its host and port are those that the request was sent to. The scheme that the
//! client used is known only from a trusted proxy; without one, the origin's own is taken.

use actix_web::HttpRequest;
use actix_web::http::header::{HOST, HeaderMap, ORIGIN};
use url::{Origin, Url};

use crate::client_ip::TrustedProxies;

const FORWARDED_PROTO: &str = "x-forwarded-proto";
const FORWARDED_HOST: &str = "x-forwarded-host";

/// Whether `Origin` names the origin that the request was sent to. `X-Forwarded-Proto` and `X-Forwarded-Host` count from
/// trusted proxies only.
pub(crate) fn is_own_origin(request: &HttpRequest, proxies: &TrustedProxies) -> bool {
    let is_proxied = request.peer_addr().is_some_and(|peer| proxies.trusts(peer.ip().to_canonical()));
    is_own(request.headers(), is_proxied)
}

fn is_own(headers: &HeaderMap, is_proxied: bool) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    // The nearest proxy's entry is the last one: it alone is known to be no client's.
    let forwarded =
        |name: &str| text(name).filter(|_| is_proxied).and_then(|list| list.rsplit(',').next()).map(str::trim);
    let Some(origin) = text(ORIGIN.as_str()).and_then(tuple_origin) else { return false };
    let Origin::Tuple(scheme, ..) = &origin else { return false };
    let scheme = forwarded(FORWARDED_PROTO).unwrap_or(scheme);
    let Some(host) = forwarded(FORWARDED_HOST).or_else(|| text(HOST.as_str())) else { return false };
    let is_authority = !host.contains(['/', '\\', '?', '#', '@', ' ']);
    is_authority && tuple_origin(&format!("{scheme}://{host}")).is_some_and(|own| own == origin)
}

/// The origin of a URL that is nothing but a scheme of the web, a host and perhaps a port.
fn tuple_origin(text: &str) -> Option<Origin> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    Some(url.origin())
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    fn allows(is_proxied: bool, headers: &[(&'static str, &str)]) -> bool {
        let entries = headers.iter().map(|(name, value)| {
            (HeaderName::from_static(name), HeaderValue::from_str(value).expect("a header's value"))
        });
        let mut map = HeaderMap::new();
        entries.for_each(|(name, value)| map.append(name, value));
        is_own(&map, is_proxied)
    }

    fn at(host: &str, origin: &str) -> bool {
        allows(false, &[("host", host), ("origin", origin)])
    }

    #[test]
    fn host_and_port_must_be_equal() {
        for (host, origin) in [
            ("support.example.com", "https://support.example.com"),
            ("support.example.com", "http://support.example.com"),
            ("Support.Example.com", "https://support.example.com"),
            ("support.example.com:443", "https://support.example.com"),
            ("support.example.com:80", "http://support.example.com"),
            ("localhost:1500", "http://localhost:1500"),
            ("[::1]:1500", "http://[::1]:1500"),
            ("[0:0::1]", "http://[::1]"),
        ] {
            assert!(at(host, origin), "{host} {origin}");
        }
        for (host, origin) in [
            ("support.example.com", "https://support.example.com:8443"),
            ("support.example.com:8443", "https://support.example.com"),
            ("support.example.com:80", "https://support.example.com"),
            ("example.com", "https://support.example.com"),
            ("support.example.com", "https://example.com"),
            ("support.example.com", "https://support.example.com.evil.example"),
            ("support.example.com", "null"),
            ("support.example.com", "file://"),
            ("support.example.com", "ftp://support.example.com"),
            ("support.example.com", "support.example.com"),
            ("a@support.example.com", "https://support.example.com"),
            ("support.example.com/", "https://support.example.com"),
            ("", "https://support.example.com"),
            ("[::1]", "http://[::2]"),
        ] {
            assert!(!at(host, origin), "{host} {origin}");
        }
        assert!(!allows(false, &[("host", "a")]), "no origin");
        assert!(!allows(false, &[("origin", "http://a")]), "no host");
    }

    #[test]
    fn a_trusted_proxy_knows_the_scheme_and_the_host() {
        let request = [("host", "10.0.0.1:1500"), ("origin", "https://a.example"), ("x-forwarded-host", "a.example")];
        assert!(allows(true, &request));
        assert!(!allows(false, &request), "of a client");
        for (scheme, is_own) in [("https", true), ("http", false), ("http, https", true), ("https, http", false)] {
            let request = [("host", "a.example"), ("origin", "https://a.example"), ("x-forwarded-proto", scheme)];
            assert_eq!(allows(true, &request), is_own, "{scheme}");
            assert!(allows(false, &request), "of a client it does not count");
        }
    }
}
