//! `/api/keys`: what bots and shops authenticate with.

pub(crate) mod create;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod revoke;
pub(crate) mod rotate;
pub(crate) mod set_terms;

use access::randomness;
use chrono::{DateTime, Utc};
use db::models::ApiKey;
use domain::api_keys::KeyTerms;
use kernel::AddressRange;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::extract::Moment;
use crate::problem::{Code, Problem};

/// A key. What it is in clear is shown once, when it is made or rotated.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct KeyView {
    /// Timelines name it `api_key:` and this.
    id: Uuid,
    #[schema(example = "bot")]
    name: String,
    /// What the key begins with.
    #[schema(example = "sk_7Gq2mX9tBn4w")]
    prefix: String,
    #[schema(example = json!(["orders:read", "orders:write"]))]
    scopes: Vec<String>,
    rate_limit_per_minute: i32,
    /// Null: until it is revoked.
    expires_at: Option<DateTime<Utc>>,
    /// Addresses and ranges that it may be used from; none: from anywhere.
    #[schema(example = json!(["203.0.113.7", "10.0.0.0/8"]))]
    allowed_from: Vec<String>,
    created_at: DateTime<Utc>,
    last_used_at: Option<DateTime<Utc>>,
    revoked_at: Option<DateTime<Utc>>,
}

impl From<ApiKey> for KeyView {
    fn from(key: ApiKey) -> Self {
        Self {
            id: key.id,
            name: key.name,
            prefix: key.prefix,
            scopes: key.scopes,
            rate_limit_per_minute: key.rate_limit_per_minute,
            expires_at: key.expires_at,
            allowed_from: key.allowed_from,
            created_at: key.created_at,
            last_used_at: key.last_used_at,
            revoked_at: key.revoked_at,
        }
    }
}

/// A key that was made or rotated.
#[derive(Serialize, ToSchema)]
pub(crate) struct FreshKeyView {
    key: KeyView,
    /// The key in clear: it is shown this once. Null where the same request was carried out before.
    #[schema(example = "sk_7Gq2mX9tBn4w_…")]
    clear: Option<String>,
}

/// Until when and from where a key is to work.
fn terms(expires_at: Option<Moment>, allowed_from: &[String]) -> Result<KeyTerms, Problem> {
    let ranges = allowed_from.iter().map(|range| range.parse::<AddressRange>());
    let allowed_from = ranges.collect::<Result<_, _>>().map_err(|_| {
        let detail = "write addresses as 203.0.113.7 and ranges as 10.0.0.0/8";
        Problem::field(Code::InvalidBody, "#/allowed_from", "invalid_value", detail)
    })?;
    Ok(KeyTerms {
        expires_at: expires_at.map(|at| at.0),
        allowed_from,
    })
}

fn random() -> Result<[u8; 64], Problem> {
    randomness().map_err(|error| Problem::internal(error.to_string()))
}
