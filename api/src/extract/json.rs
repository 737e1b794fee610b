//! JSON bodies: read strictly, and what is wrong told by a JSON pointer.

mod object;
mod texts;

use serde::de::DeserializeOwned;
use serde_json::de::SliceRead;
use serde_json::error::Category;
use serde_path_to_error::{Path, Segment};

pub(crate) use self::object::JsonObject;
use self::texts::WithoutNul;
use crate::problem::{Code, Problem};

const MAX_KEY_SHOWN: usize = 100;

/// Reads one JSON object and nothing after it.
pub(super) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    if texts::may_hold_nul(bytes) {
        let _: WithoutNul = read(&mut serde_json::Deserializer::from_slice(bytes))?;
    }
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let JsonObject(value) = read(&mut deserializer)?;
    deserializer.end().map_err(|error| malformed(&error))?;
    Ok(value)
}

fn read<T: DeserializeOwned>(from: &mut serde_json::Deserializer<SliceRead<'_>>) -> Result<T, Problem> {
    serde_path_to_error::deserialize(from).map_err(|error| describe(error.path(), error.inner()))
}

fn malformed(error: &serde_json::Error) -> Problem {
    let place = format!("line {}, column {}", error.line(), error.column());
    Problem::new(Code::MalformedJson).with_detail(place)
}

/// serde's messages quote what was sent; only the part that says what is expected is passed on.
fn describe(path: &Path, error: &serde_json::Error) -> Problem {
    if error.classify() != Category::Data {
        return malformed(error);
    }
    let text = error.to_string();
    let message = text
        .rsplit_once(" at line ")
        .map_or(text.as_str(), |(message, _)| message);
    let expected = message.rsplit_once(", expected ").map(|(_, expected)| expected);
    let named = |prefix: &str| message.strip_prefix(prefix).and_then(|rest| rest.split('`').nth(1));
    let (pointer, kind, detail) = if let Some(name) = named("missing field ") {
        (
            format!("{}/{name}", pointer(path)),
            "missing_field",
            "is required".to_owned(),
        )
    } else if let Some(name) = named("duplicate field ") {
        (
            format!("{}/{name}", pointer(path)),
            "duplicate_field",
            "is given twice".to_owned(),
        )
    } else if message.starts_with("unknown field ") {
        let known = expected.map_or_else(
            || "there are no fields here".to_owned(),
            |known| format!("known: {known}"),
        );
        (pointer(path), "unknown_field", known)
    } else if let Some(expected) = expected {
        (pointer(path), "invalid_type", format!("expected {expected}"))
    } else {
        // a check of ours, such as that of an address; those quote nothing
        (pointer(path), "invalid_value", message.to_owned())
    };
    Problem::field(Code::InvalidBody, pointer, kind, detail)
}

fn pointer(path: &Path) -> String {
    let mut text = String::from("#");
    for segment in path.iter() {
        text.push('/');
        match segment {
            Segment::Seq { index } => text.push_str(&index.to_string()),
            Segment::Map { key } => {
                let shown: String = key.chars().take(MAX_KEY_SHOWN).collect();
                text.push_str(&shown.replace('~', "~0").replace('/', "~1"));
            }
            Segment::Enum { variant } => text.push_str(variant),
            Segment::Unknown => text.push('?'),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use kernel::{Amount, Asset};
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only reading it is tested")]
    struct Sample {
        amount: Amount,
        asset: Option<Asset>,
        count: Option<u8>,
        list: Option<Vec<u8>>,
    }

    fn refused(body: &str) -> String {
        let problem = parse::<Sample>(body.as_bytes()).unwrap_err();
        let response = problem.render("r", axum::http::HeaderMap::new());
        let bytes = futures::executor::block_on(axum::body::to_bytes(response.into_body(), 10_000)).unwrap();
        let value: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        let error = &value["errors"][0];
        let text = |v: &serde_json::Value| v.as_str().unwrap_or("-").to_owned();
        format!(
            "{} {} {} {}",
            text(&value["code"]),
            text(&error["pointer"]),
            text(&error["code"]),
            text(&error["detail"])
        )
    }

    #[test]
    fn each_mistake_is_named_and_nothing_is_quoted() {
        let secret = "5ca1ab1e";
        let cases = [
            ("{}", "invalid_body #/amount missing_field is required"),
            (
                r#"{"amount":"1","5ca1ab":1}"#,
                "invalid_body #/5ca1ab unknown_field known: one of `amount`, `asset`, `count`, `list`",
            ),
            (
                r#"{"amount":"1","amount":"1"}"#,
                "invalid_body #/amount duplicate_field is given twice",
            ),
            (
                r#"{"amount":"5ca1ab1e"}"#,
                "invalid_body #/amount invalid_value not an amount: write digits, a point and at most 6 decimals, such as \"12.5\"",
            ),
            (
                r#"{"amount":1.5}"#,
                "invalid_body #/amount invalid_type expected a string",
            ),
            (
                r#"{"amount":"1","asset":"5ca1ab1e"}"#,
                "invalid_body #/asset invalid_type expected `TRX` or `USDT`",
            ),
            (
                r#"{"amount":"1","count":300}"#,
                "invalid_body #/count invalid_type expected u8",
            ),
            (
                r#"{"amount":"1","list":[1,"5ca1ab1e"]}"#,
                "invalid_body #/list/1 invalid_type expected u8",
            ),
            (
                r#""5ca1ab1e, expected""#,
                "invalid_body # invalid_type expected an object",
            ),
            // serde's structs take their fields in a list, too
            (
                r#"["1", "TRX", 1, []]"#,
                "invalid_body # invalid_type expected an object",
            ),
            (
                r#"{"amount":"5ca1\u0000ab1e"}"#,
                "invalid_body #/amount invalid_value must not hold the character U+0000",
            ),
            (
                r#"{"amount":"1","list":[1,{"x":["\u0000"]}]}"#,
                "invalid_body #/list/1/x/0 invalid_value must not hold the character U+0000",
            ),
            (
                // a backslash and a u
                r#"{"amount":"\\u0000"}"#,
                "invalid_body #/amount invalid_value not an amount: write digits, a point and at most 6 decimals, such as \"12.5\"",
            ),
            ("{", "malformed_json - - -"),
            (r#"{"amount":"1"} x"#, "malformed_json - - -"),
        ];
        for (body, said) in cases {
            assert_eq!(refused(body), said, "{body}");
            assert!(!refused(body).contains(secret), "{body}");
        }
    }
}
