//! The OpenAPI document is whole: every route has an operation, a permission and its problems.

use serde_json::{Value, json};
use switchyard_api::problem::Code;
use switchyard_api::{Scope, openapi};

/// What anybody may call.
const OPEN: &[&str] = &["/api/auth/sign-in", "/api/auth/refresh"];

#[test]
fn paths_ids_scopes_and_problems() {
    let document = serde_json::to_value(openapi()).unwrap();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let mut lines = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let (scope, permission) = (text(&operation["x-scope"]), text(&operation["x-permission"]));
            let security = operation["security"].as_array().unwrap();
            if permission.is_empty() {
                assert!(OPEN.contains(&path.as_str()), "{method} {path} has no permission");
                assert!(security.is_empty() && scope.is_empty());
            } else {
                let mut expected = vec![json!({ "access_token": [permission] })];
                if !scope.is_empty() {
                    expected.insert(0, json!({ "api_key": [scope] }));
                }
                assert_eq!(security, &expected, "{method} {path}");
            }
            let said = format!("Permission: `{permission}`");
            assert!(permission.is_empty() || text(&operation["description"]).contains(&said));
            let responses: Vec<&str> = operation["responses"]
                .as_object()
                .unwrap()
                .keys()
                .map(String::as_str)
                .collect();
            let codes: Vec<String> = operation["x-problem-codes"]
                .as_array()
                .unwrap()
                .iter()
                .map(text)
                .collect();
            lines.push(format!(
                "{} {path} {} [{permission} {scope}] {}\n    {}",
                method.to_uppercase(),
                text(&operation["operationId"]),
                responses.join(" "),
                codes.join(" ")
            ));
        }
    }
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn every_reference_leads_somewhere() {
    let document = serde_json::to_value(openapi()).unwrap();
    let mut references = Vec::new();
    collect(&document, &mut references);
    assert!(references.len() > 20);
    for reference in references {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}

#[test]
fn the_manual_names_every_code_and_scope() {
    let manual = include_str!("../../../docs/API.md");
    let words = Code::ALL
        .iter()
        .map(|code| code.word())
        .chain(Scope::ALL.iter().map(|scope| scope.word()));
    for word in words {
        assert!(manual.contains(&format!("`{word}`")), "{word}");
    }
}

fn collect(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                if let (true, Some(text)) = (name == "$ref", value.as_str()) {
                    found.push(text.to_owned());
                }
                collect(value, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        _ => {}
    }
}
