//! Reads the vector files; one module per subject.

mod deposits;
mod energy;
mod keys;
mod transactions;
mod words;

use serde_json::Value;

/// A file of `tests/vectors`.
pub(crate) fn file(name: &str) -> Value {
    let path = format!("{}/tests/vectors/{name}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// The cases of a file of `tests/vectors`.
pub(crate) fn cases(name: &str) -> Vec<Value> {
    let cases = match file(name) {
        Value::Array(cases) => cases,
        Value::Object(mut object) => serde_json::from_value(object.remove("cases").unwrap()).unwrap(),
        other => panic!("unexpected {other}"),
    };
    assert!(!cases.is_empty(), "{name} has no cases");
    cases
}

/// A text field.
pub(crate) fn text<'a>(case: &'a Value, key: &str) -> &'a str {
    case[key].as_str().unwrap_or_else(|| panic!("{key} of {case}"))
}

/// A hex field as bytes.
pub(crate) fn bytes(case: &Value, key: &str) -> Vec<u8> {
    hex::decode(text(case, key)).unwrap()
}

/// A whole number, given as a number or as text.
pub(crate) fn int(case: &Value, key: &str) -> i64 {
    match &case[key] {
        Value::String(text) => text.parse().unwrap(),
        Value::Number(number) => number.as_i64().unwrap(),
        Value::Null => 0,
        other => panic!("{key}: {other}"),
    }
}

/// An address field in hex.
pub(crate) fn address(case: &Value, key: &str) -> chain::TronAddress {
    chain::TronAddress::from_hex(text(case, key)).unwrap()
}
