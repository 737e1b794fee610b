//! Prices that hold for a while, for orders that name them.

use chrono::{DateTime, Duration, Utc};
use db::models::{OrderTerms, PriceQuote};
use db::{Conn, Pool, run_tx};
use kernel::{Amount, ApiKeyId, IdGen, OrderId, PriceVersionId, QuoteId};

use super::accept::{OrderPolicy, check_ranges};
use crate::DomainError;
use crate::operations::Mark;
use crate::pool::{HoldRules, hold_in_tx};
use crate::pricing::{Price, price_of};

/// Nobody's number: a quote is for energy and a time, whoever pays.
const NOBODY: i64 = 0;

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub struct WantedQuote<'a> {
    /// Whose quote it is, and his mark of the request.
    pub mark: &'a Mark,
    /// Energy.
    pub energy: i64,
    /// For how long, seconds.
    pub duration_s: i32,
    /// How long the price holds.
    pub life: Duration,
    /// By what rules energy is set aside, too; `None`: it is not.
    pub hold: Option<HoldRules>,
}

/// A quote, and whether the same request had made it before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quoted {
    /// The quote.
    pub quote: PriceQuote,
    /// Whether nothing happened now.
    pub replayed: bool,
}

/// Holds the current price of so much energy for a while, and if asked the energy itself.
///
/// # Errors
/// Out of range, without a price, new orders are stopped, or so much energy cannot be set aside; nothing is written then. A mark
/// that was used for another request; [`DomainError::QuoteExpired`] where the quote that it made is forgotten already.
pub async fn quote(
    pool: &Pool,
    ids: &dyn IdGen,
    policy: &OrderPolicy,
    wanted: &WantedQuote<'_>,
    now: DateTime<Utc>,
) -> Result<Quoted, DomainError> {
    let &WantedQuote { energy, duration_s, .. } = wanted;
    check_ranges(policy, energy, duration_s)?;
    let id = QuoteId::new(ids);
    run_tx(pool, "quote_price", async |conn| {
        if let Some(earlier) = wanted.mark.replay_in_tx(conn, "quote", id.0, now).await? {
            let quote = PriceQuote::lock(conn, earlier, wanted.mark.api_key.0).await?;
            return Ok(Quoted {
                quote: quote.ok_or(DomainError::QuoteExpired)?,
                replayed: true,
            });
        }
        let terms = OrderTerms::read(conn, (NOBODY, ""), (energy, duration_s)).await?;
        if terms.maintenance {
            return Err(DomainError::Maintenance);
        }
        let price = price_of(&terms, energy)?;
        let quote = PriceQuote {
            id: id.0,
            api_key_id: wanted.mark.api_key.0,
            energy,
            duration_s,
            price_sun: price.amount.minor(),
            price_version_id: price.version.0,
            created_at: now,
            expires_at: now + wanted.life,
            order_id: None,
        };
        quote.insert(conn).await?;
        if let Some(rules) = &wanted.hold {
            hold_in_tx(conn, (&quote, &policy.network), rules).await?;
        }
        Ok(Quoted { quote, replayed: false })
    })
    .await
}

/// The price that a quote holds for an order of its key. The caller's transaction then places the order and says so by
/// [`used_in_tx`]; until then nobody else gets the quote.
///
/// # Errors
/// There is no such quote of this key, it was used or is over, or it is for something else.
pub(super) async fn quoted_in_tx(
    conn: &mut Conn,
    (id, api_key): (QuoteId, ApiKeyId),
    (energy, duration_s): (i64, i32),
    now: DateTime<Utc>,
) -> Result<Price, DomainError> {
    let quote = PriceQuote::lock(conn, id.0, api_key.0)
        .await?
        .ok_or(DomainError::NotFound("quote"))?;
    if quote.order_id.is_some() {
        return Err(DomainError::QuoteUsed);
    }
    if quote.expires_at <= now {
        return Err(DomainError::QuoteExpired);
    }
    if (quote.energy, quote.duration_s) != (energy, duration_s) {
        return Err(DomainError::QuoteDiffers);
    }
    let amount =
        Amount::from_minor(quote.price_sun).map_err(|_| DomainError::Broken(format!("the price of quote {id}")))?;
    Ok(Price {
        amount,
        version: PriceVersionId(quote.price_version_id),
    })
}

/// The quote bought this order, and nothing else ever.
pub(super) async fn used_in_tx(conn: &mut Conn, id: QuoteId, order: OrderId) -> Result<(), DomainError> {
    super::guarded(PriceQuote::set_order(conn, id.0, order.0).await?, "quote", id)
}
