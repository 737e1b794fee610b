//! An order that is pending, or lacks a part, always has its job, and so has a standing order. One without (dropped by hand,
//! or a bug) gets a new one.

use chrono::{DateTime, Utc};
use db::Conn;
use diesel::sql_types::{Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use jobs::{JobKind, Wake, enqueue_each_in_tx};
use uuid::Uuid;

use crate::DomainError;

#[derive(diesel::QueryableByName)]
struct Lost {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

pub(super) async fn requeue_in_tx(conn: &mut Conn, now: DateTime<Utc>) -> Result<Vec<Wake>, DomainError> {
    let lost: Vec<Lost> = diesel::sql_query(
        "SELECT o.id FROM orders o WHERE o.state IN ('pending', 'processing') \
         AND (o.state = 'pending' OR o.energy > (SELECT COALESCE(sum(d.energy), 0) FROM delegations d \
             WHERE d.order_id = o.id AND d.state <> 'released' AND NOT d.stray)) \
         AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.kind = $1 AND j.object_id = o.id::text) \
         ORDER BY o.deadline_at LIMIT 500 FOR UPDATE OF o SKIP LOCKED",
    )
    .bind::<Text, _>(JobKind::OrdersDelegate.word())
    .load(conn)
    .await?;
    let ids: Vec<String> = lost.iter().map(|order| order.id.to_string()).collect();
    let mut wakes = enqueue_each_in_tx(conn, JobKind::OrdersDelegate, &ids, now).await?;
    let unkept: Vec<Lost> = diesel::sql_query(
        "SELECT s.id FROM standing_orders s WHERE s.state = 'active' \
         AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.kind = $1 AND j.object_id = s.id::text) \
         ORDER BY s.id LIMIT 500 FOR UPDATE OF s SKIP LOCKED",
    )
    .bind::<Text, _>(JobKind::OrdersKeep.word())
    .load(conn)
    .await?;
    let ids: Vec<String> = unkept.iter().map(|standing| standing.id.to_string()).collect();
    wakes.extend(enqueue_each_in_tx(conn, JobKind::OrdersKeep, &ids, now).await?);
    Ok(wakes)
}
