//! Where a request comes from. What a proxy says of it counts only if it is one of ours: anybody can send a header.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::extract::ConnectInfo;
use axum::http::{Extensions, HeaderMap, HeaderName};
use kernel::AddressRange;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// Each proxy adds one; a longer list was made up.
const HOPS_MAX: usize = 20;

/// The address of the client: of the other end of the connection, or if that is a proxy of ours the one that it names, and so
/// on. `None` where neither is known.
pub(super) fn address(extensions: &Extensions, headers: &HeaderMap, trusted: &[AddressRange]) -> Option<IpAddr> {
    let ConnectInfo(peer) = extensions.get::<ConnectInfo<SocketAddr>>()?;
    let is_ours = |address: IpAddr| trusted.iter().any(|range| range.contains(address));
    let mut client = peer.ip().to_canonical();
    // the nearest proxy wrote the last one
    for hop in forwarded(headers).take(HOPS_MAX) {
        if !is_ours(client) {
            break;
        }
        match hop.parse::<IpAddr>() {
            Ok(address) => client = address.to_canonical(),
            Err(_) => break,
        }
    }
    Some(client)
}

/// The name that a client is counted under. Who has one IPv6 address has at least the 2^64 of its /64.
pub(super) fn counted_as(client: IpAddr) -> String {
    match client {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let network = Ipv6Addr::from_bits(address.to_bits() >> 64 << 64);
            format!("{network}/64")
        }
    }
}

fn forwarded(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let lines: Vec<&str> = headers
        .get_all(FORWARDED_FOR)
        .iter()
        .map(|line| line.to_str().unwrap_or_default())
        .collect();
    lines.into_iter().rev().flat_map(|line| line.rsplit(',').map(str::trim))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn from(peer: &str, lines: &[&'static str]) -> String {
        let mut extensions = Extensions::new();
        extensions.insert(ConnectInfo(SocketAddr::new(peer.parse().unwrap(), 40_000)));
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(FORWARDED_FOR, HeaderValue::from_static(line));
        }
        let trusted = ["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
        address(&extensions, &headers, &trusted).unwrap().to_string()
    }

    #[test]
    fn without_a_proxy_of_ours_it_is_the_other_end() {
        assert_eq!(from("203.0.113.7", &[]), "203.0.113.7");
        assert_eq!(from("203.0.113.7", &["198.51.100.1"]), "203.0.113.7", "made up");
        assert_eq!(from("::ffff:203.0.113.7", &[]), "203.0.113.7");
    }

    #[test]
    fn our_proxies_are_believed_and_nobody_before_them() {
        assert_eq!(from("10.0.0.1", &["203.0.113.7"]), "203.0.113.7");
        assert_eq!(from("fd00::1", &["2001:db8::7"]), "2001:db8::7");
        assert_eq!(
            from("10.0.0.1", &["198.51.100.1, 203.0.113.7, 10.0.0.2"]),
            "203.0.113.7"
        );
        assert_eq!(
            from("10.0.0.1", &["198.51.100.1", "203.0.113.7,10.0.0.2"]),
            "203.0.113.7"
        );
    }

    #[test]
    fn what_cannot_be_read_ends_the_way_back() {
        assert_eq!(from("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(from("10.0.0.1", &["unknown"]), "10.0.0.1");
        assert_eq!(from("10.0.0.1", &["203.0.113.7, unknown, 10.0.0.2"]), "10.0.0.2");
        let all_ours = "10.0.0.9,".repeat(50) + "10.0.0.2";
        let all_ours: &'static str = Box::leak(all_ours.into_boxed_str());
        assert_eq!(from("10.0.0.1", &[all_ours]), "10.0.0.9");
    }

    #[test]
    fn a_client_is_counted_by_its_address_or_its_network() {
        let counted = |address: &str| counted_as(address.parse().unwrap());
        assert_eq!(counted("203.0.113.7"), "203.0.113.7");
        assert_eq!(counted("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
        assert_eq!(counted("2001:db8:1:2::"), "2001:db8:1:2::/64");
        assert_eq!(counted("2001:db8:1:3::"), "2001:db8:1:3::/64");
    }

    #[test]
    fn an_unknown_connection_is_nobody() {
        assert_eq!(address(&Extensions::new(), &HeaderMap::new(), &[]), None);
    }
}
