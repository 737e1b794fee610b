//! `api-key`: makes, lists, changes and revokes keys.

use access::Scope;
use chrono::{DateTime, Duration, Utc};
use db::acquire;
use db::models::ApiKey;
use domain::api_keys::{self, FreshKey, KeyTerms, NewKey};
use domain::operators::By;
use kernel::{AddressRange, Amount, ApiKeyId, RandomIds};
use settings::Settings;

use super::{operator, print, setup};

/// What to do with API keys.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Make a key and print it; it is shown this once
    Create {
        /// Who uses it
        #[arg(long)]
        name: String,
        /// What it may do, e.g. `orders:write,orders:read`; `all` for everything
        #[arg(long, value_delimiter = ',', required = true)]
        scopes: Vec<String>,
        /// Requests per minute; default: the setting limits.orders_per_minute_per_key
        #[arg(long)]
        rate_limit: Option<u32>,
        #[command(flatten)]
        terms: Terms,
    },
    /// List keys, newest first
    List,
    /// Set anew until when, from where and for how much a key works. Give all terms again: what is not given does not limit it
    /// any more. Prints what holds then
    Limit {
        /// Its id
        id: ApiKeyId,
        /// Requests per minute; default: as before
        #[arg(long)]
        rate_limit: Option<u32>,
        #[command(flatten)]
        terms: Terms,
    },
    /// Give a key a new secret and print it; the one before works on for a while, and the key stays who it is
    Rotate {
        /// Its id
        id: ApiKeyId,
        /// Hours that the secret before works on; 0 ends it at once, 720 at most
        #[arg(long, default_value_t = 24)]
        overlap_hours: u32,
    },
    /// End a key; it stops working within seconds
    Revoke {
        /// Its id
        id: ApiKeyId,
    },
}

/// Until when and from where a key works.
#[derive(Debug, clap::Args)]
pub struct Terms {
    /// The key ends then, e.g. `2027-06-30T00:00:00Z`; default: when it is revoked
    #[arg(long)]
    expires_at: Option<DateTime<Utc>>,
    /// Addresses and ranges that it may be used from, e.g. `203.0.113.7,10.0.0.0/8`; default: from anywhere
    #[arg(long, value_delimiter = ',')]
    allow_from: Vec<AddressRange>,
    /// The most TRX that it may have users spend in a UTC day, e.g. `500`; default: no limit
    #[arg(long)]
    daily_limit: Option<Amount>,
}

impl From<Terms> for KeyTerms {
    fn from(terms: Terms) -> Self {
        Self {
            expires_at: terms.expires_at,
            allowed_from: terms.allow_from,
            daily_limit: terms.daily_limit,
        }
    }
}

pub(super) async fn run(settings: &Settings, command: Command) -> anyhow::Result<()> {
    let pool = setup::pool(settings)?;
    let now = setup::now(&pool).await?;
    match command {
        Command::Create {
            name,
            scopes,
            rate_limit,
            terms,
        } => {
            let all = scopes.iter().any(|scope| scope == "all");
            let scopes = if all {
                Scope::ALL.iter().map(|scope| scope.word().to_owned()).collect()
            } else {
                scopes
            };
            let key = NewKey {
                name: &name,
                scopes: &scopes,
                rate_limit_per_minute: rate_limit.unwrap_or(settings.limits.orders_per_minute_per_key),
                terms: &terms.into(),
            };
            show(&api_keys::create(&pool, &RandomIds, &key, &random()?, now).await?);
        }
        Command::List => {
            let mut conn = acquire(&pool).await?;
            for key in ApiKey::list(&mut conn).await? {
                print(&line(&key, now));
            }
        }
        Command::Limit { id, rate_limit, terms } => {
            let by = By::command(&operator());
            let key = api_keys::set_terms(&pool, &by, id, (&terms.into(), rate_limit)).await?;
            print(&format!(
                "limited; within seconds this is all that limits it:\n{}",
                in_force(&key, now)
            ));
        }
        Command::Rotate { id, overlap_hours } => {
            let overlap = Duration::hours(overlap_hours.into());
            show(&api_keys::rotate(&pool, id, &random()?, overlap, now).await?);
            print(&format!("\nThe secret before works until {}.", now + overlap));
        }
        Command::Revoke { id } => {
            api_keys::revoke(&pool, id, now).await?;
            print("revoked");
        }
    }
    Ok(())
}

fn random() -> anyhow::Result<[u8; 64]> {
    let mut random = [0; 64];
    getrandom::fill(&mut random)?;
    Ok(random)
}

fn show(key: &FreshKey) {
    print(&format!(
        "id   {}\nkey  {}\n\nKeep the key: it cannot be shown again.",
        key.id, key.clear
    ));
}

/// The terms of a key, those too that do not limit it: somebody may have forgotten to give them again.
fn in_force(key: &ApiKey, now: DateTime<Utc>) -> String {
    let daily = daily_limit(key).unwrap_or_else(|| "no daily limit".to_owned());
    let (state, from) = (state(key, now), from(key));
    format!(
        "{state}, {from}, {} requests a minute, {daily}",
        key.rate_limit_per_minute
    )
}

fn state(key: &ApiKey, now: DateTime<Utc>) -> String {
    match (key.revoked_at, key.expires_at) {
        (Some(at), _) => format!("revoked {at}"),
        (None, Some(at)) if at <= now => format!("expired {at}"),
        (None, Some(at)) => format!("active until {at}"),
        (None, None) => "active".to_owned(),
    }
}

fn from(key: &ApiKey) -> String {
    if key.allowed_from.is_empty() {
        "from anywhere".to_owned()
    } else {
        format!("from {}", key.allowed_from.join(","))
    }
}

fn daily_limit(key: &ApiKey) -> Option<String> {
    let limit = Amount::from_minor(key.daily_limit_sun?).ok()?;
    Some(format!("{limit} TRX a day"))
}

fn line(key: &ApiKey, now: DateTime<Utc>) -> String {
    let (state, from) = (state(key, now), from(key));
    let limit = daily_limit(key).map(|limit| format!("{limit}  ")).unwrap_or_default();
    let signed = if key.signing_sealed.is_some() { "signed  " } else { "" };
    let scopes = key.scopes.join(",");
    format!(
        "{}  {}…  {state}  {from}  {limit}{signed}{}  {scopes}",
        key.id, key.prefix, key.name
    )
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn key() -> ApiKey {
        ApiKey {
            id: Uuid::nil(),
            name: "bot".to_owned(),
            prefix: "sk_abc".to_owned(),
            secret_sha256: Vec::new(),
            scopes: vec!["orders:read".to_owned()],
            rate_limit_per_minute: 600,
            created_at: DateTime::UNIX_EPOCH,
            last_used_at: None,
            revoked_at: None,
            expires_at: None,
            allowed_from: Vec::new(),
            daily_limit_sun: None,
            signing_sealed: None,
            signing_former: None,
            signing_former_until: None,
        }
    }

    #[test]
    fn what_does_not_limit_a_key_is_said_too() {
        let now = DateTime::UNIX_EPOCH + Duration::days(1);
        assert_eq!(
            in_force(&key(), now),
            "active, from anywhere, 600 requests a minute, no daily limit"
        );
        let limited = ApiKey {
            expires_at: Some(now + Duration::days(1)),
            allowed_from: vec!["203.0.113.7".to_owned(), "10.0.0.0/8".to_owned()],
            daily_limit_sun: Some(500_000_000),
            ..key()
        };
        assert_eq!(
            in_force(&limited, now),
            "active until 1970-01-03 00:00:00 UTC, from 203.0.113.7,10.0.0.0/8, 600 requests a minute, 500.000000 TRX a day"
        );
        assert!(line(&limited, now).ends_with("500.000000 TRX a day  bot  orders:read"));
    }
}
