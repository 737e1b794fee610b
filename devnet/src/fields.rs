//! Reading fields of a request the way the node's `JsonFormat` does, and writing answers without protobuf defaults.

use std::str::FromStr;

use chain::TronAddress;
use serde_json::{Map, Value};

/// The fields of one JSON object, with the `visible` flag that decides how addresses are written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fields<'a> {
    map: &'a Map<String, Value>,
    visible: bool,
}

impl<'a> Fields<'a> {
    /// Fields of `map`.
    pub(crate) const fn new(map: &'a Map<String, Value>, visible: bool) -> Self {
        Self { map, visible }
    }

    /// Whether addresses are base58.
    pub(crate) const fn visible(&self) -> bool {
        self.visible
    }

    /// A text; empty if missing.
    pub(crate) fn text(&self, name: &str) -> &'a str {
        self.map.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// An integer, as a number or as digits in a string; 0 if missing.
    pub(crate) fn int(&self, name: &str) -> Result<i64, String> {
        match self.map.get(name) {
            None | Some(Value::Null) => Ok(0),
            Some(Value::Number(number)) => number.as_i64().ok_or_else(|| name.to_owned()),
            Some(Value::String(text)) => text.parse().map_err(|_| name.to_owned()),
            Some(_) => Err(name.to_owned()),
        }
    }

    /// A flag; also `"true"` of a query string.
    pub(crate) fn flag(&self, name: &str) -> bool {
        match self.map.get(name) {
            Some(Value::Bool(flag)) => *flag,
            Some(Value::String(text)) => text.eq_ignore_ascii_case("true"),
            _ => false,
        }
    }

    /// Bytes in hex; empty if missing.
    pub(crate) fn bytes(&self, name: &str) -> Result<Vec<u8>, String> {
        let text = self.text(name);
        hex::decode(text.strip_prefix("0x").unwrap_or(text)).map_err(|_| name.to_owned())
    }

    /// A memo: text when visible, hex otherwise.
    pub(crate) fn text_or_bytes(&self, name: &str) -> Result<Vec<u8>, String> {
        if self.visible {
            Ok(self.text(name).as_bytes().to_vec())
        } else {
            self.bytes(name)
        }
    }

    /// An address's bytes, unchecked: executors say what is wrong with them. Hex, or base58 when visible.
    pub(crate) fn address(&self, name: &str) -> Result<Vec<u8>, String> {
        let text = self.text(name);
        if self.visible {
            if text.is_empty() {
                return Ok(Vec::new());
            }
            return TronAddress::from_str(text)
                .map(|a| a.as_bytes().to_vec())
                .map_err(|_| format!("INVALID {name}"));
        }
        hex::decode(text.strip_prefix("0x").unwrap_or(text)).map_err(|_| format!("INVALID hex String: {name}"))
    }

    /// An object; `None` if missing.
    pub(crate) fn object(&self, name: &str) -> Option<Self> {
        let map = self.map.get(name).and_then(Value::as_object)?;
        Some(Self::new(map, self.visible))
    }

    /// A list of objects, or one that stands for a list of one; empty if missing.
    pub(crate) fn objects(&self, name: &str) -> Result<Vec<Self>, String> {
        let of = |item: &'a Value| item.as_object().map(|map| Self::new(map, self.visible));
        match self.map.get(name) {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(Value::Array(list)) => list
                .iter()
                .map(|item| of(item).ok_or_else(|| name.to_owned()))
                .collect(),
            Some(one) => of(one).map(|one| vec![one]).ok_or_else(|| name.to_owned()),
        }
    }

    /// A resource, by name or number; BANDWIDTH if missing.
    pub(crate) fn resource(&self, name: &str) -> Result<i32, String> {
        match self.map.get(name) {
            None | Some(Value::Null) => Ok(0),
            Some(Value::Number(n)) => n
                .as_i64()
                .and_then(|n| i32::try_from(n).ok())
                .ok_or_else(|| name.to_owned()),
            Some(Value::String(text)) => match text.as_str() {
                "BANDWIDTH" | "0" => Ok(0),
                "ENERGY" | "1" => Ok(1),
                "TRON_POWER" | "2" => Ok(2),
                _ => Err(name.to_owned()),
            },
            Some(_) => Err(name.to_owned()),
        }
    }
}

/// An address's bytes as the answer shows them.
pub(crate) fn show_address(bytes: &[u8], visible: bool) -> String {
    match TronAddress::from_bytes(bytes) {
        Ok(address) if visible => address.to_string(),
        _ => hex::encode(bytes),
    }
}

/// The value without protobuf defaults: zero, false, empty text, empty list, empty object, at every depth of objects.
/// Elements of lists stay, so that an entry that is all defaults is still `{}`.
pub(crate) fn sparse(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let kept = map
                .into_iter()
                .map(|(key, value)| (key, sparse(value)))
                .filter(|(_, value)| !is_default(value));
            Value::Object(kept.collect())
        }
        Value::Array(list) => Value::Array(list.into_iter().map(sparse).collect()),
        other => other,
    }
}

fn is_default(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(flag) => !flag,
        Value::Number(number) => number.as_i64() == Some(0),
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
    }
}

/// Every 64-bit number as a string, as newer nodes answer `int64_as_string=true`.
pub(crate) fn numbers_as_strings(value: Value) -> Value {
    const INT32: [&str; 4] = ["version", "Permission_id", "id", "permission_id"];
    match value {
        Value::Number(number) => Value::String(number.to_string()),
        Value::Array(list) => Value::Array(list.into_iter().map(numbers_as_strings).collect()),
        Value::Object(map) => Value::Object(
            map.into_iter()
                .map(|(key, value)| {
                    let keep = value.is_number() && INT32.contains(&key.as_str());
                    let value = if keep { value } else { numbers_as_strings(value) };
                    (key, value)
                })
                .collect(),
        ),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn defaults_are_left_out_but_list_entries_stay() {
        let full = json!({"a": 0, "b": "", "c": [{"amount": 0}, {"amount": 5}], "d": {"e": false}, "f": 1});
        assert_eq!(sparse(full), json!({"c": [{}, {"amount": 5}], "f": 1}));
    }

    #[test]
    fn addresses_follow_the_visible_flag() {
        let map = json!({"owner_address": "T9yD14Nj9j7xAB4dbGeiX9h8unkKHxuWwb"});
        let map = map.as_object().unwrap();
        assert_eq!(Fields::new(map, true).address("owner_address").unwrap()[0], 0x41);
        assert!(Fields::new(map, false).address("owner_address").is_err());
    }

    #[test]
    fn int64_become_strings_and_int32_stay() {
        let value = json!({"balance": 9_007_199_254_740_993_i64, "version": 30, "l": [1]});
        assert_eq!(
            numbers_as_strings(value),
            json!({"balance": "9007199254740993", "version": 30, "l": ["1"]})
        );
    }
}
