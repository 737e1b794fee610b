//! A staking is what its transactions say; one that is to be looked at has its job; none is open for long.

use chrono::{DateTime, Duration, Utc};
use db::Conn;
use diesel::sql_types::{BigInt, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use jobs::{JobKind, Wake, enqueue_each_in_tx};
use kernel::IdGen;
use serde_json::json;
use uuid::Uuid;

use super::{Open, record_all_in_tx};
use crate::DomainError;
use crate::findings::FindingKind;

/// How long a staking may take: its transactions tried several times, and the last of them final.
pub const STAKING_STUCK_AFTER: Duration = Duration::hours(1);

#[derive(diesel::QueryableByName)]
struct Differing {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Text)]
    state: String,
    #[diesel(sql_type = BigInt)]
    landed: i64,
    #[diesel(sql_type = BigInt)]
    on_its_way: i64,
}

/// Open stakings, and those that ended lately, beside what was signed for them. A transaction that failed in its block is on its
/// way until that block is final.
const DIFFERING: &str = "SELECT s.id, s.state, c.landed, c.on_its_way FROM stakings s \
    CROSS JOIN LATERAL (SELECT \
        count(*) FILTER (WHERE t.state IN ('included', 'final') AND t.outcome = 'ok') AS landed, \
        count(*) FILTER (WHERE t.state IN ('signed', 'sent') \
            OR (t.state = 'included' AND t.outcome = 'failed')) AS on_its_way \
        FROM chain_transactions t WHERE t.intent_id = s.id AND t.intent_kind = 'stake') c \
    WHERE (s.ended_at IS NULL OR s.ended_at > $1) \
        AND (c.landed, c.on_its_way) IS DISTINCT FROM (CASE s.state \
            WHEN 'processing' THEN (0::bigint, 1::bigint) \
            WHEN 'sent' THEN (1::bigint, 0::bigint) \
            WHEN 'done' THEN (1::bigint, 0::bigint) \
            ELSE (0::bigint, 0::bigint) END) \
    ORDER BY s.id LIMIT 100";

pub(super) async fn prove_in_tx(conn: &mut Conn, ids: &dyn IdGen, now: DateTime<Utc>) -> Result<usize, DomainError> {
    let differing: Vec<Differing> = diesel::sql_query(DIFFERING)
        .bind::<Timestamptz, _>(now - Duration::days(2))
        .load(conn)
        .await?;
    let found = differing.iter().map(|staking| {
        let detail = json!({
            "state": staking.state, "landed": staking.landed, "on_its_way": staking.on_its_way,
        });
        (format!("staking:{}", staking.id), detail)
    });
    let differing = record_all_in_tx(conn, ids, FindingKind::StakingDiffers, found.collect(), now).await?;
    let stuck: Vec<Open> = diesel::sql_query(
        "SELECT id, state, reason_code FROM stakings \
         WHERE state IN ('requested', 'processing', 'sent') AND created_at < $1 ORDER BY created_at LIMIT 100",
    )
    .bind::<Timestamptz, _>(now - STAKING_STUCK_AFTER)
    .load(conn)
    .await?;
    let found = stuck.iter().map(|staking| {
        let detail = json!({ "state": staking.state, "reason": staking.reason_code });
        (format!("staking:{}", staking.id), detail)
    });
    let stuck = record_all_in_tx(conn, ids, FindingKind::StakingStuck, found.collect(), now).await?;
    Ok(differing + stuck)
}

/// A staking that is to be looked at always has its job. One without (dropped by hand, or a bug) gets a new one.
pub(super) async fn requeue_in_tx(conn: &mut Conn, now: DateTime<Utc>) -> Result<Vec<Wake>, DomainError> {
    let lost: Vec<Open> = diesel::sql_query(
        "SELECT s.id, s.state, s.reason_code FROM stakings s WHERE s.state = 'requested' \
         AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.kind = $1 AND j.object_id = s.id::text) \
         ORDER BY s.created_at LIMIT 500 FOR UPDATE OF s SKIP LOCKED",
    )
    .bind::<Text, _>(JobKind::WalletsStake.word())
    .load(conn)
    .await?;
    let ids: Vec<String> = lost.iter().map(|staking| staking.id.to_string()).collect();
    Ok(enqueue_each_in_tx(conn, JobKind::WalletsStake, &ids, now).await?)
}
