//! The OpenAPI 3.1 document: the handlers' own descriptions, with what the route table knows added to each.

mod forms;

use std::collections::BTreeMap;

use serde_json::json;
use utoipa::OpenApi;
use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    ContentBuilder, HeaderBuilder, HttpMethod, Info, OpenApi as Document, Ref, RefOr, ResponseBuilder, Server,
    response::Response,
};

use crate::middleware::Needs;
use crate::middleware::unchanged::KEPT;
use crate::problem::Code;
use crate::router::{Described, EVERYWHERE, Route, routes};

const SECURITY: &str = "api_key";
const SIGNED_IN: &str = "access_token";
const DESCRIPTION: &str = "Sells TRON energy by the hour. Amounts are decimal strings, times RFC 3339 UTC, lists are \
    keyset-paged, errors RFC 9457 problem documents with a stable `code`. See docs/API.md.\n\n\
    按小时出售 TRON 能量。金额为十进制字符串，时间为 RFC 3339 UTC，列表按游标分页，错误为带有稳定 `code` 的 RFC 9457 文档。";

/// The whole document.
#[must_use]
pub fn openapi() -> Document {
    let mut document = Described::openapi();
    let mut info = Info::new("Switchyard", env!("CARGO_PKG_VERSION"));
    info.description = Some(DESCRIPTION.to_owned());
    document.info = info;
    document.servers = Some(vec![Server::new("/")]);
    let scheme = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("sk_…")
        .description(Some("An API key: `Authorization: Bearer sk_…`"))
        .build();
    let components = document.components.get_or_insert_default();
    components.add_security_scheme(SECURITY, SecurityScheme::Http(scheme));
    let scheme = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("JWT")
        .description(Some("An operator's access token, from `POST /api/auth/sign-in`"))
        .build();
    components.add_security_scheme(SIGNED_IN, SecurityScheme::Http(scheme));
    forms::of_bodies(components);
    for route in routes() {
        let item = document.paths.paths.get_mut(route.path);
        if let Some(operation) = item.and_then(|item| operation(item, &route.method)) {
            complete(operation, &route);
        }
    }
    document
}

/// What the document says of a method of a path.
pub(crate) const fn operation<'a>(item: &'a mut PathItem, method: &HttpMethod) -> Option<&'a mut Operation> {
    match method {
        HttpMethod::Get => item.get.as_mut(),
        HttpMethod::Post => item.post.as_mut(),
        HttpMethod::Put => item.put.as_mut(),
        HttpMethod::Delete => item.delete.as_mut(),
        HttpMethod::Patch => item.patch.as_mut(),
        _ => None,
    }
}

fn complete(operation: &mut Operation, route: &Route) {
    forms::of_parameters(operation);
    let mut extensions = Extensions::builder();
    let said = operation.description.take().unwrap_or_default();
    let needs = match route.needs {
        Needs::Nothing => {
            operation.security = Some(Vec::new());
            "Needs no key".to_owned()
        }
        Needs::Point(point) => {
            let by_operators = SecurityRequirement::new(SIGNED_IN, [point.word()]);
            extensions = extensions.add("x-permission", point.word());
            let by_keys = point.scope().map(access::Scope::word);
            operation.security = Some(match by_keys {
                Some(scope) => vec![SecurityRequirement::new(SECURITY, [scope]), by_operators],
                None => vec![by_operators],
            });
            if let Some(scope) = by_keys {
                extensions = extensions.add("x-scope", scope);
            }
            let scope = by_keys.map_or_else(|| "of operators alone".to_owned(), |scope| format!("scope `{scope}`"));
            format!("Permission: `{}`, {scope}", point.word())
        }
    };
    operation.description = Some(format!("{said}\n\n{needs}").trim().to_owned());
    if KEPT.contains(&route.action) {
        not_modified(operation);
    }
    let mut codes: Vec<Code> = EVERYWHERE.iter().chain(&route.codes).copied().collect();
    codes.sort_unstable();
    codes.dedup();
    let words: Vec<&str> = codes.iter().map(|code| code.word()).collect();
    operation.extensions = Some(extensions.add("x-problem-codes", json!(words)).build());
    let mut by_status: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
    for code in codes {
        by_status.entry(code.status().as_u16()).or_default().push(code);
    }
    for (status, codes) in by_status {
        operation
            .responses
            .responses
            .insert(status.to_string(), problems(status, &codes).into());
    }
}

/// Of what carries an `ETag`: that it is told when nothing changed.
fn not_modified(operation: &mut Operation) {
    let etag = || {
        HeaderBuilder::new()
            .description(Some("Of what is answered, for `If-None-Match`"))
            .build()
    };
    let responses = &mut operation.responses.responses;
    if let Some(RefOr::T(found)) = responses.get_mut("200") {
        found.headers.insert("ETag".to_owned(), etag());
    }
    let unchanged = ResponseBuilder::new()
        .description("`If-None-Match` names what would be answered: it has not changed")
        .header("ETag", etag())
        .build();
    responses.insert("304".to_owned(), unchanged.into());
}

fn problems(status: u16, codes: &[Code]) -> Response {
    let lines: Vec<String> = codes
        .iter()
        .map(|code| format!("- `{}`: {} {}", code.word(), code.title(), code.title_zh()))
        .collect();
    let example = codes.first().map(|code| {
        json!({
            "type": format!("urn:switchyard:problem:{}", code.word()),
            "title": code.title(),
            "title_zh": code.title_zh(),
            "status": status,
            "code": code.word(),
            "request_id": "01931d3c-7d5e-7c8a-9b52-5f1a2c3d4e5f",
        })
    });
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name("ProblemView")))
        .example(example)
        .build();
    ResponseBuilder::new()
        .description(lines.join("\n"))
        .content("application/problem+json", content)
        .build()
}
