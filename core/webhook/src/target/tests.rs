//! Tables of addresses, in the forms that were ever used to get inside.

use super::*;

const STRICT: TargetPolicy = TargetPolicy {
    allow_private_networks: false,
};
const OPEN: TargetPolicy = TargetPolicy {
    allow_private_networks: true,
};

#[test]
fn public_addresses_pass() {
    for text in [
        "https://shop.example/hooks",
        "https://shop.example:8443/hooks?shop=1",
        "https://1.1.1.1/",
        "https://223.255.255.1/",
        "https://100.63.255.255/",
        "https://100.128.0.1/",
        "https://172.15.255.255/",
        "https://172.32.0.1/",
        "https://[2606:4700::1111]/x",
        "https://bücher.example/",
    ] {
        Target::parse(text, STRICT).unwrap_or_else(|error| panic!("{text}: {error}"));
    }
}

#[test]
fn what_is_inside_or_reserved_is_refused_in_every_spelling() {
    for text in [
        "https://127.0.0.1/",
        "https://127.1/",
        "https://2130706433/",
        "https://017700000001/",
        "https://0x7f000001/",
        "https://0x7f.0.0.1/",
        "https://0177.0.0.1/",
        "https://127.0.0.1./",
        "https://１２７.0.0.1/",
        "https://0/",
        "https://0.0.0.0/",
        "https://0.1.2.3/",
        "https://10.0.0.1/",
        "https://10.255.255.255/",
        "https://100.64.0.1/",
        "https://100.127.255.255/",
        "https://168.63.129.16/",
        "https://169.254.169.254/latest/meta-data/",
        "https://172.16.0.1/",
        "https://172.31.255.255/",
        "https://192.0.0.8/",
        "https://192.0.2.1/",
        "https://192.88.99.1/",
        "https://192.168.1.1/",
        "https://3232235777/",
        "https://198.18.0.1/",
        "https://198.19.255.255/",
        "https://198.51.100.7/",
        "https://203.0.113.7/",
        "https://224.0.0.1/",
        "https://240.0.0.1/",
        "https://255.255.255.255/",
        "https://[::]/",
        "https://[::1]/",
        "https://[::127.0.0.1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:7f00:1]/",
        "https://[::ffff:1.1.1.1]/",
        "https://[::ffff:0:127.0.0.1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://[64:ff9b:1::1]/",
        "https://[100::1]/",
        "https://[2001::1]/",
        "https://[2001:10::1]/",
        "https://[2001:db8::1]/",
        "https://[2002:7f00:1::]/",
        "https://[3fff::1]/",
        "https://[fc00::1]/",
        "https://[fd12:3456::1]/",
        "https://[fe80::1]/",
        "https://[fec0::1]/",
        "https://[ff02::1]/",
        "https://[4000::1]/",
    ] {
        assert_eq!(Target::parse(text, STRICT), Err(TargetError::Private), "{text}");
    }
}

#[test]
fn other_forms_are_refused() {
    for (text, error) in [
        ("", TargetError::Malformed),
        ("shop.example/hooks", TargetError::Malformed),
        ("https://", TargetError::Malformed),
        ("https://exa mple/", TargetError::Malformed),
        (" https://shop.example/", TargetError::Malformed),
        ("https://shop.example/\n", TargetError::Malformed),
        ("https://1.2.3.4.5/", TargetError::Malformed),
        ("https://256.1.1.1/", TargetError::Malformed),
        ("https://[::1%25lo]/", TargetError::Malformed),
        ("http://shop.example/", TargetError::Scheme),
        ("ftp://shop.example/", TargetError::Scheme),
        ("file:///etc/passwd", TargetError::Scheme),
        ("gopher://127.0.0.1:6379/_x", TargetError::Scheme),
        ("https://user@shop.example/", TargetError::Credentials),
        ("https://user:pass@shop.example/", TargetError::Credentials),
        ("https://shop.example@127.0.0.1/", TargetError::Credentials),
        ("https://@shop.example/", TargetError::Credentials),
        ("https:\\\\@shop.example/", TargetError::Credentials),
        ("https://shop.example/#part", TargetError::Fragment),
        ("https://shop.example./", TargetError::TrailingDot),
        ("https://localhost./", TargetError::TrailingDot),
    ] {
        assert_eq!(Target::parse(text, STRICT), Err(error), "{text:?}");
    }
    assert_eq!(
        Target::parse(&format!("https://shop.example/{}", "a".repeat(2_000)), STRICT),
        Err(TargetError::Malformed)
    );
}

#[test]
fn development_may_call_itself_but_nothing_odd() {
    for text in ["http://127.0.0.1:9000/hook", "http://localhost/", "https://10.0.0.1/"] {
        Target::parse(text, OPEN).unwrap_or_else(|error| panic!("{text}: {error}"));
    }
    for text in ["ftp://127.0.0.1/", "http://a@127.0.0.1/", "http://localhost./"] {
        assert!(Target::parse(text, OPEN).is_err(), "{text}");
    }
    assert!(OPEN.may_call("127.0.0.1".parse().unwrap()));
    assert!(!STRICT.may_call("127.0.0.1".parse().unwrap()));
}

#[test]
fn what_is_kept_for_good_is_the_origin_alone() {
    for (address, kept) in [
        ("https://shop.example/hooks/token?key=1", "https://shop.example"),
        ("https://shop.example:443/", "https://shop.example"),
        ("https://shop.example:8443/a", "https://shop.example:8443"),
        ("http://[2606:4700::1]:81/x", "http://[2606:4700::1]:81"),
        ("https://user:secret@shop.example/", "https://shop.example"),
    ] {
        assert_eq!(origin(address).as_deref(), Some(kept), "{address}");
    }
    assert_eq!(origin("no address"), None);
}
