//! A sweep is what its transactions say; one that is to be looked at has its job; none is open for long; and none collects
//! what nobody was told of.

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
use crate::findings::{self, FindingKind};

/// How long a sweep may take: an account made, energy lent and final, a transaction landed and final, and some of it twice.
/// Bandwidth takes a day to come back; who waits for it is not stuck.
pub const SWEEP_STUCK_AFTER: Duration = Duration::hours(1);

/// Sweeps that ended within this time are looked at again.
const LATELY: Duration = Duration::days(2);

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
    #[diesel(sql_type = BigInt)]
    activating: i64,
}

/// Open sweeps, and those that ended lately, beside what was signed for them. A transaction that failed in its block is on its
/// way until that block is final.
const DIFFERING: &str = "SELECT s.id, s.state, c.landed, c.on_its_way, c.activating FROM sweeps s \
    CROSS JOIN LATERAL (SELECT \
        count(*) FILTER (WHERE t.intent_kind = 'sweep' AND t.state IN ('included', 'final') AND t.outcome = 'ok') AS landed, \
        count(*) FILTER (WHERE t.intent_kind = 'sweep' AND (t.state IN ('signed', 'sent') \
            OR (t.state = 'included' AND t.outcome = 'failed'))) AS on_its_way, \
        count(*) FILTER (WHERE t.intent_kind = 'activate' AND t.state IN ('signed', 'sent', 'included')) AS activating \
        FROM chain_transactions t WHERE t.intent_id = s.id AND t.intent_kind IN ('sweep', 'activate')) c \
    WHERE (s.ended_at IS NULL OR s.ended_at > $1) \
        AND (c.landed, c.on_its_way, c.activating) IS DISTINCT FROM (CASE s.state \
            WHEN 'activating' THEN (0::bigint, 0::bigint, 1::bigint) \
            WHEN 'processing' THEN (0::bigint, 1::bigint, 0::bigint) \
            WHEN 'sent' THEN (1::bigint, 0::bigint, 0::bigint) \
            WHEN 'completed' THEN (1::bigint, 0::bigint, 0::bigint) \
            ELSE (0::bigint, 0::bigint, 0::bigint) END) \
    ORDER BY s.id LIMIT 100";

pub(super) async fn prove_in_tx(conn: &mut Conn, ids: &dyn IdGen, now: DateTime<Utc>) -> Result<usize, DomainError> {
    let differing: Vec<Differing> = diesel::sql_query(DIFFERING)
        .bind::<Timestamptz, _>(now - LATELY)
        .load(conn)
        .await?;
    let found = differing.iter().map(|sweep| {
        let detail = json!({
            "state": sweep.state, "landed": sweep.landed, "on_its_way": sweep.on_its_way, "activating": sweep.activating,
        });
        (format!("sweep:{}", sweep.id), detail)
    });
    let differing = record_all_in_tx(conn, ids, FindingKind::SweepDiffers, found.collect(), now).await?;
    let stuck: Vec<Open> = diesel::sql_query(
        "SELECT id, state, reason_code FROM sweeps \
         WHERE state IN ('planned', 'activating', 'renting', 'processing', 'sent') AND created_at < $1 \
            AND reason_code IS DISTINCT FROM 'bandwidth_short' ORDER BY created_at LIMIT 100",
    )
    .bind::<Timestamptz, _>(now - SWEEP_STUCK_AFTER)
    .load(conn)
    .await?;
    let found = stuck.iter().map(|sweep| {
        let detail = json!({ "state": sweep.state, "reason": sweep.reason_code });
        (format!("sweep:{}", sweep.id), detail)
    });
    let stuck = record_all_in_tx(conn, ids, FindingKind::SweepStuck, found.collect(), now).await?;
    Ok(differing + stuck)
}

/// What contracts sent is told of at the latest once it is collected. All that is open is looked at, so what is not found any
/// more is over, however much there is.
pub(super) async fn prove_recorded_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    now: DateTime<Utc>,
) -> Result<usize, DomainError> {
    let (kind, found) = (FindingKind::SweepUnrecorded, unrecorded(conn, now - LATELY).await?);
    let mut subjects = Vec::with_capacity(found.len());
    for row in found {
        let subject = format!("address:{}:{}", row.network, row.address);
        let detail = json!({
            "address": row.address, "collected_minor": row.collected, "recorded_minor": row.recorded,
            "unrecorded_minor": row.unrecorded,
        });
        findings::record_in_tx(conn, ids, kind, &subject, detail, now).await?;
        subjects.push(subject);
    }
    findings::clear_others_in_tx(conn, kind, &subjects, now).await?;
    Ok(subjects.len())
}

/// An address that more coin was collected from than is recorded to have come.
#[derive(diesel::QueryableByName)]
struct Unrecorded {
    #[diesel(sql_type = Text)]
    network: String,
    #[diesel(sql_type = Text)]
    address: String,
    #[diesel(sql_type = Text)]
    collected: String,
    #[diesel(sql_type = Text)]
    recorded: String,
    #[diesel(sql_type = Text)]
    unrecorded: String,
}

/// What a contract sent on (a multisend) leaves no trace on a node that keeps no internal transactions, and what lay at an
/// address before it was ours none with us: it shows only in what is collected. A finding stays until as much is recorded, or
/// an operator resolves it: then until it is more.
async fn unrecorded(conn: &mut Conn, since: DateTime<Utc>) -> Result<Vec<Unrecorded>, DomainError> {
    Ok(diesel::sql_query(include_str!("sweeps/unrecorded.sql"))
        .bind::<Timestamptz, _>(since)
        .bind::<Text, _>(FindingKind::SweepUnrecorded.word())
        .bind::<Text, _>(crate::WORKER)
        .load(conn)
        .await?)
}

/// A sweep that is to be looked at always has its job. One without (dropped by hand, or a bug) gets a new one.
pub(super) async fn requeue_in_tx(conn: &mut Conn, now: DateTime<Utc>) -> Result<Vec<Wake>, DomainError> {
    let lost: Vec<Open> = diesel::sql_query(
        "SELECT s.id, s.state, s.reason_code FROM sweeps s WHERE s.state IN ('planned', 'renting') \
         AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.kind = $1 AND j.object_id = s.id::text) \
         ORDER BY s.created_at LIMIT 500 FOR UPDATE OF s SKIP LOCKED",
    )
    .bind::<Text, _>(JobKind::DepositsSweep.word())
    .load(conn)
    .await?;
    let ids: Vec<String> = lost.iter().map(|sweep| sweep.id.to_string()).collect();
    Ok(enqueue_each_in_tx(conn, JobKind::DepositsSweep, &ids, now).await?)
}
