//! Figures for metrics: how much is where, and how far each network is read. Each is the same whoever asks.

use chrono::{DateTime, Utc};
use db::Conn;
use diesel::sql_types::{BigInt, Bool, Double, Text, Timestamptz};
use diesel::{QueryableByName, sql_query};
use diesel_async::RunQueryDsl;

use crate::DomainError;

/// How many things of one kind are in one state.
#[derive(Debug, Clone, PartialEq, QueryableByName)]
pub struct Held {
    /// `orders`, `delegations`, `payouts`, `sweeps`, `rentals`, `stakings`, `transactions`, `wallets`, `keys`, `stake` or
    /// `treasury`.
    #[diesel(sql_type = Text)]
    pub what: String,
    /// Its state; of `stake`, which part; of `treasury`, which asset.
    #[diesel(sql_type = Text)]
    pub state: String,
    /// How many.
    #[diesel(sql_type = BigInt)]
    pub count: i64,
    /// How many sun these are about, or minor units of another asset; 0 where it is not about money. For showing: a float.
    #[diesel(sql_type = Double)]
    pub sun: f64,
}

/// The states that are shown even while nothing is in them.
const STATES: [(&str, &[&str]); 10] = [
    ("orders", &["pending", "processing", "unsettled"]),
    ("delegations", &["reserved", "active", "reclaiming"]),
    ("payouts", &["requested", "approved", "processing", "sent"]),
    ("sweeps", &["planned", "activating", "renting", "processing", "sent"]),
    ("rentals", &["waiting", "placed", "returning", "held"]),
    ("stakings", &["requested", "processing", "sent"]),
    ("transactions", &["signed", "sent", "included"]),
    ("wallets", &["enabled", "disabled", "isolated", "importing", "rejected"]),
    ("keys", &["limited", "moves_money", "cannot_sign", "unread"]),
    ("stake", &["staked", "delegated", "delegatable", "reserved"]),
];

/// Everything that is not at an end, and every wallet.
///
/// # Errors
/// When the database cannot be asked.
pub async fn held(conn: &mut Conn) -> Result<Vec<Held>, DomainError> {
    let mut rows: Vec<Held> = sql_query(include_str!("figures.sql")).load(conn).await?;
    for (what, states) in STATES {
        for state in states {
            if !rows.iter().any(|row| row.what == what && row.state == *state) {
                rows.push(Held {
                    what: what.to_owned(),
                    state: (*state).to_owned(),
                    count: 0,
                    sun: 0.0,
                });
            }
        }
    }
    Ok(rows)
}

/// How far a network is read.
#[derive(Debug, Clone, PartialEq, QueryableByName)]
pub struct NetworkFigures {
    /// Its name.
    #[diesel(sql_type = Text)]
    pub network: String,
    /// The last block applied.
    #[diesel(sql_type = BigInt)]
    pub head_number: i64,
    /// The last applied block that is solidified.
    #[diesel(sql_type = BigInt)]
    pub solid_number: i64,
    /// Blocks that the nodes have beyond the last one applied, as last heard.
    #[diesel(sql_type = BigInt)]
    pub lag_blocks: i64,
    /// Age of the last block applied.
    #[diesel(sql_type = Double)]
    pub head_age_seconds: f64,
    /// Age of the last applied block that is solidified.
    #[diesel(sql_type = Double)]
    pub solid_age_seconds: f64,
    /// Since when no node was heard, by the database's clock.
    #[diesel(sql_type = Double)]
    pub heard_age_seconds: f64,
    /// Whether scanning is stopped.
    #[diesel(sql_type = Bool)]
    pub halted: bool,
    /// Total energy of the network; 0 before the first wallet was read.
    #[diesel(sql_type = BigInt)]
    pub total_energy_limit: i64,
    /// Total stake for it, in TRX.
    #[diesel(sql_type = BigInt)]
    pub total_energy_weight: i64,
}

/// How far each network is read; ages by the clock that says `now`.
///
/// # Errors
/// When the database cannot be asked.
pub async fn networks(conn: &mut Conn, now: DateTime<Utc>) -> Result<Vec<NetworkFigures>, DomainError> {
    let sql = "SELECT network, head_number, solid_number, greatest(tip_number - head_number, 0) AS lag_blocks, \
            extract(epoch FROM $1 - head_time)::float8 AS head_age_seconds, \
            extract(epoch FROM $1 - solid_time)::float8 AS solid_age_seconds, \
            extract(epoch FROM now() - updated_at)::float8 AS heard_age_seconds, \
            halted_at IS NOT NULL AS halted, total_energy_limit, total_energy_weight \
        FROM chain_cursors ORDER BY network";
    Ok(sql_query(sql).bind::<Timestamptz, _>(now).load(conn).await?)
}
