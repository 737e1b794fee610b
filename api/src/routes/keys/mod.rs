//! `/api/keys`: what bots and shops authenticate with.

pub(crate) mod create;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod revoke;
pub(crate) mod rotate;
pub(crate) mod set_terms;
pub(crate) mod sign;
pub(crate) mod unsign;

use access::randomness;
use chrono::{DateTime, Utc};
use db::models::ApiKey;
use domain::api_keys::{KeyTerms, spent_today};
use kernel::{AddressRange, Amount};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::trx;
use crate::App;
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
    /// The most TRX that it may have users spend in a UTC day; null: no limit.
    #[schema(value_type = Option<String>, example = "500.000000")]
    daily_limit: Option<Amount>,
    /// What of it is spent today. Counted while there is a limit.
    #[schema(value_type = String, example = "12.500000")]
    spent_today: Amount,
    /// Whether its requests have to be signed.
    signed: bool,
    created_at: DateTime<Utc>,
    last_used_at: Option<DateTime<Utc>>,
    revoked_at: Option<DateTime<Utc>>,
}

/// Keys as they are shown.
pub(super) async fn views(app: &App, keys: Vec<ApiKey>) -> Result<Vec<KeyView>, Problem> {
    let ids: Vec<Uuid> = keys.iter().map(|key| key.id).collect();
    let spent = spent_today(&app.pool, &ids, app.clock.now()).await?;
    let shown = keys.into_iter().map(|key| {
        let spent = spent.get(&key.id).copied().unwrap_or(0);
        KeyView::of(key, spent)
    });
    shown.collect()
}

/// A key as it is shown.
pub(super) async fn view(app: &App, key: ApiKey) -> Result<KeyView, Problem> {
    let view = views(app, vec![key]).await?.pop();
    view.ok_or_else(|| Problem::internal("a key was lost"))
}

impl KeyView {
    fn of(key: ApiKey, spent_sun: i64) -> Result<Self, Problem> {
        Ok(Self {
            daily_limit: key.daily_limit_sun.map(trx).transpose()?,
            spent_today: trx(spent_sun)?,
            signed: key.signing_sealed.is_some(),
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
        })
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
fn terms(
    expires_at: Option<Moment>,
    allowed_from: &[String],
    daily_limit: Option<Amount>,
) -> Result<KeyTerms, Problem> {
    let ranges = allowed_from.iter().map(|range| range.parse::<AddressRange>());
    let allowed_from = ranges.collect::<Result<_, _>>().map_err(|_| {
        let detail = "write addresses as 203.0.113.7 and ranges as 10.0.0.0/8";
        Problem::field(Code::InvalidBody, "#/allowed_from", "invalid_value", detail)
    })?;
    Ok(KeyTerms {
        expires_at: expires_at.map(|at| at.0),
        allowed_from,
        daily_limit,
    })
}

fn random() -> Result<[u8; 64], Problem> {
    randomness().map_err(|error| Problem::internal(error.to_string()))
}
