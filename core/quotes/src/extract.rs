//! Finds the price in a JSON answer by a pointer (RFC 6901), and gives its text as it was sent.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use crate::QuoteError;

/// The digits at `pointer`: of a number as it stands there, of a string what is in it.
pub(crate) fn extract(body: &[u8], pointer: &str) -> Result<String, QuoteError> {
    let none = |_| QuoteError::NoPrice;
    let mut value: &RawValue = serde_json::from_slice(body).map_err(none)?;
    for token in pointer.split('/').skip(1) {
        let token = token.replace("~1", "/").replace("~0", "~");
        value = match value.get().as_bytes().first() {
            Some(b'{') => {
                let members: BTreeMap<String, &RawValue> = serde_json::from_str(value.get()).map_err(none)?;
                members.get(&token).copied().ok_or(QuoteError::NoPrice)?
            }
            Some(b'[') => {
                let items: Vec<&RawValue> = serde_json::from_str(value.get()).map_err(none)?;
                let index: usize = token.parse().map_err(|_| QuoteError::NoPrice)?;
                items.get(index).copied().ok_or(QuoteError::NoPrice)?
            }
            _ => return Err(QuoteError::NoPrice),
        };
    }
    match value.get().as_bytes().first() {
        Some(b'"') => serde_json::from_str(value.get()).map_err(none),
        Some(b'-' | b'0'..=b'9') => Ok(value.get().to_owned()),
        _ => Err(QuoteError::NoPrice),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_is_found_and_given_as_it_was_sent() {
        for (body, pointer, text) in [
            (r#"{"price":"0.28410000"}"#, "/price", "0.28410000"),
            (r#"{"price":0.28410000000000001}"#, "/price", "0.28410000000000001"),
            (r#"{"data":[{"last":"1"},{"last":"2"}]}"#, "/data/1/last", "2"),
            (r#" [ { "last" : 1e9 } ] "#, "/0/last", "1e9"),
            (r#"{"a/b":{"c~d":-1}}"#, "/a~1b/c~0d", "-1"),
            (r#"{"p":"\u0031"}"#, "/p", "1"),
        ] {
            assert_eq!(extract(body.as_bytes(), pointer).as_deref(), Ok(text), "{body}");
        }
    }

    #[test]
    fn an_answer_without_a_price_is_none() {
        let deep = "[".repeat(100_000);
        for body in [
            "",
            "<html>",
            "{}",
            r#"{"price":null}"#,
            r#"{"price":true}"#,
            r#"{"price":{}}"#,
            r#"{"price":NaN}"#,
            r#"{"price":"0.28"#,
            r#"{"price":1} trailing"#,
            "\"price\"",
            &deep,
        ] {
            assert_eq!(
                extract(body.as_bytes(), "/price"),
                Err(QuoteError::NoPrice),
                "{body:.40}"
            );
        }
        assert_eq!(extract(b"{\"price\":\"\xff\"}", "/price"), Err(QuoteError::NoPrice));
        assert_eq!(extract(b"[1]", "/-1"), Err(QuoteError::NoPrice));
        assert_eq!(extract(b"[1]", "/7"), Err(QuoteError::NoPrice));
    }
}
