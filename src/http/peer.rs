//! Where a request comes from, and what it shows of itself.

use std::net::IpAddr;
use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::http::header::{self, HeaderMap};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ipnet::IpNet;

use crate::access::{Authorization, PeerCertificate, Presented, Secret, WebhookHeaders};

/// Which header the trusted proxies write. They replace or add to this one; the other passes through them as
/// whoever asks wrote it, so that only one may be believed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ForwardedHeader {
    #[default]
    XForwardedFor,
    Forwarded,
}

/// The proxies whose word is taken for where a request comes from.
#[derive(Clone, Debug, Default)]
pub struct Proxies {
    pub trusted: Vec<IpNet>,
    pub header: ForwardedHeader,
}

impl Proxies {
    fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.trusted.iter().any(|range| range.contains(&address))
    }

    /// The address of whoever asks: the connection's, or, where that is a trusted proxy's, the last one that a
    /// trusted proxy has told and that is none itself. Whatever stands before it was written by a stranger.
    pub fn client(&self, request: &HttpRequest) -> Option<IpAddr> {
        let peer = request.peer_addr()?.ip().to_canonical();
        if !self.trusts(peer) {
            return Some(peer);
        }
        let told = match self.header {
            ForwardedHeader::XForwardedFor => x_forwarded_for(request.headers()),
            ForwardedHeader::Forwarded => forwarded(request.headers()),
        };
        let mut client = peer;
        for address in told.into_iter().rev() {
            // What cannot be read ends the chain: the proxy that wrote it is the last that is known.
            let Some(address) = address else { return Some(client) };
            client = address.to_canonical();
            if !self.trusts(client) {
                break;
            }
        }
        Some(client)
    }

    /// Whether the request says that it is from elsewhere than where it comes from, which is no trusted proxy.
    fn is_passed_on_by_a_stranger(&self, request: &HttpRequest) -> bool {
        let is_told = FORWARDED.iter().any(|name| request.headers().contains_key(*name));
        is_told && !request.peer_addr().is_some_and(|peer| self.trusts(peer.ip()))
    }

    /// Whether the browser's own connection is encrypted, as a trusted proxy tells.
    pub fn is_secure(&self, request: &HttpRequest) -> bool {
        let is_told = || {
            let last = request.headers().get_all("x-forwarded-proto").last()?.to_str().ok()?;
            Some(last.rsplit(',').next()?.trim().eq_ignore_ascii_case("https"))
        };
        request.peer_addr().is_some_and(|peer| self.trusts(peer.ip())) && is_told() == Some(true)
    }
}

fn lines<'h>(headers: &'h HeaderMap, name: &'static str) -> impl Iterator<Item = &'h str> {
    headers.get_all(name).map(|value| value.to_str().unwrap_or("?")).flat_map(|line| line.split(','))
}

fn x_forwarded_for(headers: &HeaderMap) -> Vec<Option<IpAddr>> {
    lines(headers, "x-forwarded-for").map(address).collect()
}

/// RFC 7239: `for=192.0.2.60;proto=http;by=203.0.113.43, for="[2001:db8::17]:4711"`.
fn forwarded(headers: &HeaderMap) -> Vec<Option<IpAddr>> {
    let hop = |element: &str| {
        let pair = element.split(';').find_map(|pair| {
            let (name, value) = pair.split_once('=')?;
            name.trim().eq_ignore_ascii_case("for").then(|| value.trim().trim_matches('"').to_owned())
        });
        address(&pair?)
    };
    lines(headers, "forwarded").map(hop).collect()
}

/// An address, maybe with a port.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let alone = text.strip_prefix('[').and_then(|rest| rest.split(']').next());
    let parsed = alone.unwrap_or(text).parse().ok();
    parsed.or_else(|| text.parse::<std::net::SocketAddr>().ok().map(|address| address.ip()))
}

/// The host, and maybe port, that a request names. HTTP/2 names it beside the path and has no header for it (RFC 9113
/// §8.3.1); where HTTP/1.1 does, the header does not count (RFC 9112 §3.2.2). What a proxy forwards could be set by a
/// page and is not looked at.
pub fn named_host(request: &HttpRequest) -> &str {
    let authority = request.uri().authority().map(|authority| authority.as_str());
    let authority = authority.map(|authority| authority.rsplit_once('@').map_or(authority, |(_, host)| host));
    let header = || request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    authority.or_else(header).unwrap_or_default()
}

/// Headers in which proxies write for whom they ask.
const FORWARDED: [&str; 3] = ["x-forwarded-for", "forwarded", "x-real-ip"];

/// Whether somebody has passed the request on.
pub fn is_forwarded(headers: &HeaderMap) -> bool {
    FORWARDED.iter().chain(&["via"]).any(|name| headers.contains_key(*name))
}

/// What a request shows of itself.
pub fn presented(request: &HttpRequest, proxies: &Proxies) -> Presented {
    let headers = request.headers();
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let webhook = || {
        Some(WebhookHeaders {
            id: text("webhook-id")?,
            timestamp: text("webhook-timestamp")?,
            signatures: text("webhook-signature")?,
        })
    };
    Presented {
        authorization: authorization(headers),
        webhook: webhook(),
        certificate: request.conn_data::<Arc<PeerCertificate>>().cloned(),
        address: proxies.client(request),
        is_passed_on: proxies.is_passed_on_by_a_stranger(request),
    }
}

/// The header `Authorization`. Twice is as good as none: two readers could believe one each.
pub fn authorization(headers: &HeaderMap) -> Authorization {
    let mut all = headers.get_all(header::AUTHORIZATION);
    let Some(first) = all.next() else { return Authorization::None };
    let (None, Ok(text)) = (all.next(), first.to_str()) else { return Authorization::Other };
    let Some((scheme, value)) = text.split_once(' ') else { return Authorization::Other };
    let value = value.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Authorization::Bearer(Secret::new(value.to_owned()));
    }
    let basic = || {
        let decoded = String::from_utf8(BASE64_STANDARD.decode(value).ok()?).ok()?;
        let (user, password) = decoded.split_once(':')?;
        Some(Authorization::Basic { user: user.to_owned(), password: Secret::new(password.to_owned()) })
    };
    scheme.eq_ignore_ascii_case("basic").then(basic).flatten().unwrap_or(Authorization::Other)
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::{ForwardedHeader, Proxies, named_host};

    #[test]
    fn the_host_stands_beside_the_path_in_http_2_and_in_a_header_else() {
        let named = |uri: &str, header: &str| {
            named_host(&TestRequest::with_uri(uri).insert_header(("Host", header)).to_http_request()).to_owned()
        };
        assert_eq!(named("/listener", "orders.example:8622"), "orders.example:8622");
        assert_eq!(named("https://orders.example:8622/listener", "127.0.0.1"), "orders.example:8622");
        assert_eq!(named("https://localhost@orders.example/", "127.0.0.1"), "orders.example");
        let none = TestRequest::with_uri("https://[::1]:8622/").to_http_request();
        assert_eq!(named_host(&none), "[::1]:8622");
    }

    #[test]
    fn only_what_a_trusted_proxy_wrote_is_believed() {
        let proxies = |header| Proxies { trusted: vec!["10.0.0.0/8".parse().unwrap()], header };
        let client = |header, peer: &str, lines: &[(&str, &str)]| {
            let mut request = TestRequest::default().peer_addr(format!("{peer}:7").parse().unwrap());
            for (name, value) in lines {
                request = request.append_header((*name, *value));
            }
            proxies(header).client(&request.to_http_request()).unwrap().to_string()
        };
        let xff = |peer, value| client(ForwardedHeader::XForwardedFor, peer, &[("X-Forwarded-For", value)]);
        assert_eq!(xff("192.0.2.1", "10.9.9.9"), "192.0.2.1", "no proxy of ours");
        assert_eq!(xff("10.0.0.1", "203.0.113.5"), "203.0.113.5");
        assert_eq!(xff("10.0.0.1", "198.51.100.7, 203.0.113.5, 10.0.0.2"), "203.0.113.5", "the first is a forgery");
        assert_eq!(xff("10.0.0.1", "198.51.100.7, nonsense"), "10.0.0.1");
        assert_eq!(xff("10.0.0.1", "203.0.113.5:4711"), "203.0.113.5");
        assert_eq!(
            client(ForwardedHeader::XForwardedFor, "10.0.0.1", &[("Forwarded", "for=198.51.100.7")]),
            "10.0.0.1"
        );
        let twice = [("X-Forwarded-For", "198.51.100.7"), ("X-Forwarded-For", "203.0.113.5")];
        assert_eq!(client(ForwardedHeader::XForwardedFor, "10.0.0.1", &twice), "203.0.113.5");
        let forwarded = |value| client(ForwardedHeader::Forwarded, "10.0.0.1", &[("Forwarded", value)]);
        assert_eq!(forwarded("for=198.51.100.7, For=\"[2001:db8::17]:4711\";proto=https"), "2001:db8::17");
        assert_eq!(forwarded("for=198.51.100.7, for=_hidden"), "10.0.0.1");
    }
}
