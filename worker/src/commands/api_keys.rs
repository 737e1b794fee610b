//! `api-key`: makes, lists and revokes keys.

use db::acquire;
use db::models::ApiKey;
use domain::api_keys;
use kernel::{ApiKeyId, RandomIds};
use settings::Settings;

use super::{print, setup};

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
    },
    /// List keys, newest first
    List,
    /// End a key; it stops working within seconds
    Revoke {
        /// Its id
        id: ApiKeyId,
    },
}

pub(super) async fn run(settings: &Settings, command: Command) -> anyhow::Result<()> {
    let pool = setup::pool(settings)?;
    let now = setup::clock().now();
    match command {
        Command::Create {
            name,
            scopes,
            rate_limit,
        } => {
            let all = scopes.iter().any(|scope| scope == "all");
            let scopes = if all {
                api_keys::SCOPES.iter().map(ToString::to_string).collect()
            } else {
                scopes
            };
            let mut random = [0; 64];
            getrandom::fill(&mut random)?;
            let limit = rate_limit.unwrap_or(settings.limits.orders_per_minute_per_key);
            let key = api_keys::create(&pool, &RandomIds, (&name, &scopes, limit), &random, now).await?;
            print(&format!(
                "id   {}\nkey  {}\n\nKeep the key: it cannot be shown again.",
                key.id, key.clear
            ));
        }
        Command::List => {
            let mut conn = acquire(&pool).await?;
            for key in ApiKey::list(&mut conn).await? {
                let state = key.revoked_at.map_or("active".to_owned(), |at| format!("revoked {at}"));
                print(&format!(
                    "{}  {}…  {}  {}  {}",
                    key.id,
                    key.prefix,
                    state,
                    key.name,
                    key.scopes.join(",")
                ));
            }
        }
        Command::Revoke { id } => {
            api_keys::revoke(&pool, id, now).await?;
            print("revoked");
        }
    }
    Ok(())
}
