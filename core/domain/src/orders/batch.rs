//! Accepting many orders of one request: all of them or none, or each that can be had.
//!
//! Each order has a mark of its own, made of the request's, so that a request which is sent again places nothing twice.

use chrono::{DateTime, Utc};
use db::{Conn, DbError, Pool, run_tx};
use kernel::{ApiKeyId, ErrorClass, IdGen, OrderId};

use super::accept::{AcceptOrder, Accepted, Idempotency, OrderPolicy, accept, accept_in_tx, earlier_in_tx};
use crate::DomainError;

/// Orders of one request, at most.
pub const BATCH_MAX: usize = 100;
/// So long may the mark of a batch be: a number is added to it for each order.
pub const BATCH_KEY_MAX: usize = 250;

/// What becomes of a batch of which one order is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchMode {
    /// None is placed.
    AllOrNothing,
    /// The others are placed.
    BestEffort,
}

/// Why a batch was refused as a whole.
#[derive(Debug, thiserror::Error)]
#[error("the batch was refused")]
pub struct BatchError {
    /// The order that is to blame, from 0; `None`: the request as a whole.
    pub index: Option<usize>,
    /// Why.
    #[source]
    pub source: DomainError,
}

impl From<DbError> for BatchError {
    fn from(error: DbError) -> Self {
        Self {
            index: None,
            source: error.into(),
        }
    }
}

/// What came of one order.
pub type BatchResult = Result<Accepted, DomainError>;

/// The mark of one order. Callers' own marks have no blanks in them.
fn mark_of(batch: &Idempotency, index: usize) -> Idempotency {
    Idempotency {
        key: format!("{} {index}", batch.key),
        request_sha256: batch.request_sha256,
    }
}

/// Accepts orders, whose own marks are not looked at; answers in their order. What was placed by this request before is
/// answered as it is now; what was refused before is tried again.
///
/// # Errors
/// The mark was used for another request; in [`BatchMode::AllOrNothing`] one of them is refused; or the service fails, and
/// the same request can be sent again.
pub async fn accept_batch(
    pool: &Pool,
    ids: &dyn IdGen,
    policy: &OrderPolicy,
    (api_key, mark, mode): (ApiKeyId, &Idempotency, BatchMode),
    orders: &[AcceptOrder],
    now: DateTime<Utc>,
) -> Result<Vec<BatchResult>, BatchError> {
    let orders: Vec<AcceptOrder> = orders
        .iter()
        .enumerate()
        .map(|(index, order)| AcceptOrder {
            api_key,
            idempotency: mark_of(mark, index),
            ..order.clone()
        })
        .collect();
    match mode {
        BatchMode::AllOrNothing => all_or_nothing(pool, ids, policy, (api_key, mark), &orders, now).await,
        BatchMode::BestEffort => best_effort(pool, ids, policy, (api_key, mark), &orders, now).await,
    }
}

async fn all_or_nothing(
    pool: &Pool,
    ids: &dyn IdGen,
    policy: &OrderPolicy,
    (api_key, mark): (ApiKeyId, &Idempotency),
    orders: &[AcceptOrder],
    now: DateTime<Utc>,
) -> Result<Vec<BatchResult>, BatchError> {
    let new: Vec<OrderId> = orders.iter().map(|_| OrderId::new(ids)).collect();
    // balances are locked in one order by everybody
    let mut by_user: Vec<usize> = (0..orders.len()).collect();
    by_user.sort_by_key(|index| orders.get(*index).map(|order| order.user));
    run_tx(pool, "accept_orders", async |conn| {
        claim_in_tx(conn, api_key, mark, now).await?;
        let mut accepted: Vec<Option<BatchResult>> = orders.iter().map(|_| None).collect();
        for index in by_user.iter().copied() {
            let (Some(order), Some(id), Some(place)) = (orders.get(index), new.get(index), accepted.get_mut(index))
            else {
                continue;
            };
            let done = accept_in_tx(conn, ids, *id, policy, order, now).await;
            *place = Some(Ok(done.map_err(|source| BatchError {
                index: Some(index),
                source,
            })?));
        }
        Ok(accepted.into_iter().flatten().collect())
    })
    .await
}

async fn best_effort(
    pool: &Pool,
    ids: &dyn IdGen,
    policy: &OrderPolicy,
    (api_key, mark): (ApiKeyId, &Idempotency),
    orders: &[AcceptOrder],
    now: DateTime<Utc>,
) -> Result<Vec<BatchResult>, BatchError> {
    run_tx(pool, "claim_batch", async |conn| {
        claim_in_tx(conn, api_key, mark, now).await
    })
    .await?;
    let mut results = Vec::with_capacity(orders.len());
    for (index, order) in orders.iter().enumerate() {
        let result = accept(pool, ids, policy, order, now).await;
        match result {
            Err(source) if matches!(source.class(), ErrorClass::Bug | ErrorClass::Unavailable) && !is_stop(&source) => {
                return Err(BatchError {
                    index: Some(index),
                    source,
                });
            }
            result => results.push(result),
        }
    }
    Ok(results)
}

/// New orders are stopped: that is an answer, and no failure of the service.
const fn is_stop(error: &DomainError) -> bool {
    matches!(error, DomainError::Maintenance)
}

/// The request's mark is this request's.
async fn claim_in_tx(
    conn: &mut Conn,
    api_key: ApiKeyId,
    mark: &Idempotency,
    now: DateTime<Utc>,
) -> Result<(), BatchError> {
    earlier_in_tx(conn, (api_key, mark), ("batch", String::new()), now)
        .await
        .map(drop)
        .map_err(|source| BatchError { index: None, source })
}
