//! Bodies as the audit trail keeps them: what is known to be no secret is shown, everything else is masked.

use serde_json::{Map, Value};

/// Fields whose values may be seen by whoever may read the audit trail. A field that is not here is masked: a new one must be put
/// here, or among [`SECRET`], for the test below.
const SHOWN: &[&str] = &[
    "action",
    "address",
    "all",
    "allowed_from",
    "amount",
    "asset",
    "bands",
    "base_version",
    "budget",
    "changes",
    "code",
    "count",
    "daily_limit",
    "day",
    "deposit_id",
    "description",
    "dry_run",
    "duration_max_s",
    "duration_min_s",
    "duration_s",
    "email",
    "enabled",
    "energy",
    "energy_max",
    "energy_min",
    "event_types",
    "expires_at",
    "from",
    "hold_stock",
    "ids",
    "index",
    "keep_energy",
    "kind",
    "label",
    "min_receive",
    "mode",
    "name",
    "network",
    "note",
    "object_id",
    "order",
    "orders",
    "overlap_hours",
    "paused",
    "permission_id",
    "permissions",
    "price_millisun_per_energy",
    "purpose",
    "queue",
    "quote_id",
    "rate_limit_per_minute",
    "reason",
    "receiver",
    "resource",
    "roles",
    "ruling",
    "scopes",
    "since",
    "state",
    "title",
    "to",
    "txid",
    "type",
    "until",
    "user_id",
    "wallet_id",
    "way",
];

/// Fields that are masked on purpose. A webhook's address often carries a token.
#[cfg(test)]
const SECRET: &[&str] = &[
    "current_password",
    "mnemonic",
    "new_password",
    "passphrase",
    "password",
    "private_key",
    "refresh_token",
    "totp_code",
    "url",
];

/// What stands in place of a value.
const MASK: &str = "…";

/// A body that was read as JSON.
pub(super) fn masked(body: &[u8]) -> Value {
    serde_json::from_slice(body).map_or(Value::Null, mask)
}

fn mask(value: Value) -> Value {
    match value {
        Value::Object(fields) => Value::Object(fields.into_iter().map(field).collect::<Map<_, _>>()),
        Value::Array(items) => items.into_iter().map(mask).collect(),
        other => other,
    }
}

fn field((name, value): (String, Value)) -> (String, Value) {
    let shown = if SHOWN.contains(&name.as_str()) {
        mask(value)
    } else {
        Value::from(MASK)
    };
    (name, shown)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::*;
    use crate::openapi::openapi;

    #[test]
    fn what_is_not_known_is_masked_at_every_depth() {
        let body = br#"{"private_key":"5ca1ab1e","orders":[{"energy":1,"words":{"energy":2}}],"user_id":7}"#;
        assert_eq!(
            masked(body),
            json!({"private_key": MASK, "orders": [{"energy": 1, "words": MASK}], "user_id": 7})
        );
        assert_eq!(masked(b""), Value::Null);
    }

    #[test]
    fn every_field_of_a_body_was_judged() {
        let document = serde_json::to_value(openapi()).unwrap();
        let mut fields = BTreeSet::new();
        for item in document["paths"].as_object().unwrap().values() {
            for operation in item.as_object().unwrap().values() {
                let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
                collect(&document, schema, &mut fields);
            }
        }
        assert!(fields.len() > 40, "{fields:?}");
        let judged: BTreeSet<String> = SHOWN.iter().chain(SECRET).map(ToString::to_string).collect();
        assert_eq!(fields, judged);
    }

    fn collect(document: &Value, schema: &Value, fields: &mut BTreeSet<String>) {
        match schema {
            Value::Object(parts) => {
                for (name, part) in parts {
                    if let (true, Some(reference)) = (name == "$ref", part.as_str()) {
                        let pointer = reference.strip_prefix('#').unwrap();
                        collect(document, document.pointer(pointer).unwrap(), fields);
                    } else if let (true, Some(properties)) = (name == "properties", part.as_object()) {
                        fields.extend(properties.keys().cloned());
                        properties
                            .values()
                            .for_each(|property| collect(document, property, fields));
                    } else {
                        collect(document, part, fields);
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| collect(document, item, fields)),
            _ => {}
        }
    }
}
