//! Where a message may be sent. A customer chooses the address, and our network must not be reachable through it.
//!
//! The form of the address is checked when an endpoint is registered and again before each call; the addresses that its
//! name resolves to are checked by `client`, each time, since they may change.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

/// The longest address.
const MAX_LEN: usize = 2_000;

/// What may be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TargetPolicy {
    /// Lets messages go to private, loopback and all other addresses, and over plain HTTP: for development and tests.
    pub allow_private_networks: bool,
}

/// Why an address is not called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// It cannot be read, or is too long.
    #[error("this is no URL of at most 2000 characters")]
    Malformed,
    /// Another scheme.
    #[error("only https addresses are called")]
    Scheme,
    /// User name or password.
    #[error("a URL with a user name or password is not called")]
    Credentials,
    /// A part after `#`, which would never be sent.
    #[error("a URL with a fragment is not called")]
    Fragment,
    /// A host name that ends in a dot, which is another spelling of a name.
    #[error("a host name that ends in a dot is not called")]
    TrailingDot,
    /// An address inside, or one that cannot be reached from outside.
    #[error("private, local and reserved addresses are not called")]
    Private,
}

/// An address that may be called as far as its form can tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target(Url);

impl Target {
    /// Reads an address and checks its form. Hosts that are a number in any spelling (decimal, octal, hexadecimal, with
    /// fewer parts) are read as the address they mean, as every client would.
    ///
    /// # Errors
    /// [`TargetError`], the first thing that is wrong.
    pub fn parse(text: &str, policy: TargetPolicy) -> Result<Self, TargetError> {
        if text.len() > MAX_LEN || text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(TargetError::Malformed);
        }
        let url = Url::parse(text).map_err(|_| TargetError::Malformed)?;
        match url.scheme() {
            "https" => {}
            "http" if policy.allow_private_networks => {}
            _ => return Err(TargetError::Scheme),
        }
        if !url.username().is_empty() || url.password().is_some() || text_has_userinfo(text) {
            return Err(TargetError::Credentials);
        }
        if url.fragment().is_some() {
            return Err(TargetError::Fragment);
        }
        let address = match url.host().ok_or(TargetError::Malformed)? {
            Host::Domain(name) if name.ends_with('.') => return Err(TargetError::TrailingDot),
            Host::Domain(_) => None,
            Host::Ipv4(address) => Some(IpAddr::V4(address)),
            Host::Ipv6(address) => Some(IpAddr::V6(address)),
        };
        match address {
            Some(address) if !policy.may_call(address) => Err(TargetError::Private),
            _ => Ok(Self(url)),
        }
    }

    /// The address in its normal form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    pub(crate) const fn url(&self) -> &Url {
        &self.0
    }
}

impl TargetPolicy {
    /// Whether a connection to this address may be made.
    #[must_use]
    pub fn may_call(self, address: IpAddr) -> bool {
        self.allow_private_networks || is_public(address)
    }
}

/// Scheme, host and port of an address, which is what may be kept of it for good: the rest often carries a token. `None` for what is
/// no address.
#[must_use]
pub fn origin(address: &str) -> Option<String> {
    let url = Url::parse(address).ok()?;
    Some(url.origin().ascii_serialization())
}

/// An empty user name (`https://@host`) leaves no trace in the parsed form.
fn text_has_userinfo(text: &str) -> bool {
    let after = text.split_once(':').map_or(text, |(_, after)| after);
    let authority = after.trim_start_matches(['/', '\\']);
    authority
        .split(['/', '\\', '?', '#'])
        .next()
        .is_some_and(|authority| authority.contains('@'))
}

/// Whether an address belongs to somebody on the public internet. What is not surely so is not.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// The IANA registry of special addresses, IPv4: network and length of its prefix.
const SPECIAL_V4: [(Ipv4Addr, u32); 16] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),        // this network, unspecified
    (Ipv4Addr::new(10, 0, 0, 0), 8),       // private
    (Ipv4Addr::new(100, 64, 0, 0), 10),    // carriers' NAT
    (Ipv4Addr::new(127, 0, 0, 0), 8),      // loopback
    (Ipv4Addr::new(168, 63, 129, 16), 32), // a cloud's metadata and DNS, on a public address
    (Ipv4Addr::new(169, 254, 0, 0), 16),   // link-local, clouds' metadata
    (Ipv4Addr::new(172, 16, 0, 0), 12),    // private
    (Ipv4Addr::new(192, 0, 0, 0), 24),     // protocol assignments
    (Ipv4Addr::new(192, 0, 2, 0), 24),     // documentation
    (Ipv4Addr::new(192, 88, 99, 0), 24),   // 6to4 relays
    (Ipv4Addr::new(192, 168, 0, 0), 16),   // private
    (Ipv4Addr::new(198, 18, 0, 0), 15),    // benchmarks
    (Ipv4Addr::new(198, 51, 100, 0), 24),  // documentation
    (Ipv4Addr::new(203, 0, 113, 0), 24),   // documentation
    (Ipv4Addr::new(224, 0, 0, 0), 4),      // multicast
    (Ipv4Addr::new(240, 0, 0, 0), 4),      // reserved, broadcast
];

/// Within 2000::/3, the only part of IPv6 that is given out to anybody.
const SPECIAL_V6: [(Ipv6Addr, u32); 4] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23), // protocol assignments, Teredo, ORCHID
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32), // documentation
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16), // 6to4: holds an IPv4 address
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20), // documentation
];

fn is_public_v4(address: Ipv4Addr) -> bool {
    let bits = address.to_bits();
    !SPECIAL_V4
        .iter()
        .any(|(network, length)| (bits ^ network.to_bits()).leading_zeros() >= *length)
}

/// IPv4-mapped and -compatible addresses, NAT64, unique local, link-local and multicast are all outside 2000::/3.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let bits = address.to_bits();
    let given_out = bits >> 125 == 1;
    given_out
        && !SPECIAL_V6
            .iter()
            .any(|(network, length)| (bits ^ network.to_bits()).leading_zeros() >= *length)
}

#[cfg(test)]
mod tests;
