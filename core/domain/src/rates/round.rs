//! A round of answers: judged against what is known, stored with the exact texts, and told of where it is not used.

use chrono::{DateTime, Utc};
use db::models::{Exchange, Rate, RateKind, RateRefusal};
use db::{Conn, Pool, run_tx};
use jobs::{JobKind, JobRequest, Wake, enqueue_in_tx};
use kernel::IdGen;
use serde_json::{Value, json};

use super::current::{HouseRate, NoRate, current_in_tx};
use super::judge::{Judged, judge};
use super::{RatePolicy, SUBJECT};
use crate::DomainError;
use crate::findings::{self, FindingKind};

/// What a source said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceAnswer {
    /// Who.
    pub source: String,
    /// The price's text as it was sent.
    pub text: Option<String>,
    /// The rate that it makes, in sun for a USDT, or a word for why it makes none.
    pub rate: Result<i64, &'static str>,
}

/// What came of a round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Round {
    /// Its own verdict.
    pub judged: Judged,
    /// The rate in use from now on.
    pub current: Result<HouseRate, NoRate>,
    /// To be pushed after the commit.
    pub wakes: Vec<Wake>,
}

/// Stores a round. `at` is when the sources were asked, not when they answered.
///
/// # Errors
/// When the database fails; nothing is written then.
pub async fn record_round(
    pool: &Pool,
    ids: &dyn IdGen,
    policy: &RatePolicy,
    (answers, at): (&[SourceAnswer], DateTime<Utc>),
    now: DateTime<Utc>,
) -> Result<Round, DomainError> {
    let id = ids.uuid();
    let rates: Vec<i64> = answers.iter().filter_map(|answer| answer.rate.ok()).collect();
    run_tx(pool, "record_rates", async |conn| {
        let judged = judge(&rates, &known(conn).await?, policy);
        let row = Rate {
            id,
            at,
            kind: RateKind::Market,
            sun_per_usdt: judged.sun_per_usdt,
            refused_as: judged.refused_as,
            answers: answers.iter().map(in_json).collect(),
            ends_at: None,
            actor: None,
            note: None,
        };
        row.insert(conn).await?;
        let current = current_in_tx(conn, policy, now).await?;
        tell_in_tx(conn, ids, (&row, &current), now).await?;
        Ok(Round {
            judged,
            wakes: wake_pending_in_tx(conn, current.is_ok(), now).await?,
            current,
        })
    })
    .await
}

/// The last accepted rate, and what an operator set since and did not take back: he has seen the step.
async fn known(conn: &mut Conn) -> Result<Vec<i64>, DomainError> {
    let accepted = Rate::last_accepted(conn).await?;
    let by_hand = Rate::last_by_hand(conn).await?;
    let since = accepted.as_ref().map(|rate| rate.at);
    let by_hand = by_hand.filter(|rate| rate.kind == RateKind::Manual && since.is_none_or(|since| rate.at >= since));
    let both = [accepted, by_hand].into_iter().flatten();
    Ok(both.filter_map(|rate| rate.sun_per_usdt).collect())
}

fn in_json(answer: &SourceAnswer) -> Value {
    json!({
        "source": answer.source, "text": answer.text, "sun_per_usdt": answer.rate.ok(), "error": answer.rate.err(),
    })
}

/// Opens and closes the findings about the rate.
async fn tell_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    (row, current): (&Rate, &Result<HouseRate, NoRate>),
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    match row.refused_as {
        None => findings::clear_in_tx(conn, FindingKind::RatesRefused, SUBJECT, now).await?,
        // an outage of the sources says nothing about the market; it makes the rate stale in the end
        Some(RateRefusal::TooFew) => {}
        Some(refusal) => {
            let detail = json!({ "refused_as": refusal, "sun_per_usdt": row.sun_per_usdt, "answers": row.answers });
            findings::record_in_tx(conn, ids, FindingKind::RatesRefused, SUBJECT, detail, now).await?;
        }
    }
    match current {
        Ok(_) => findings::clear_in_tx(conn, FindingKind::RatesStale, SUBJECT, now).await,
        Err(none) => {
            let accepted = Rate::last_accepted(conn).await?;
            let detail = json!({ "reason": none.word(), "last_accepted_at": accepted.map(|rate| rate.at) });
            findings::record_in_tx(conn, ids, FindingKind::RatesStale, SUBJECT, detail, now).await
        }
    }
}

/// Asks for the job that does what waits for a rate, where there is one and something waits.
pub(crate) async fn wake_pending_in_tx(
    conn: &mut Conn,
    there_is_a_rate: bool,
    now: DateTime<Utc>,
) -> Result<Vec<Wake>, DomainError> {
    if !there_is_a_rate || !Exchange::any_pending(conn).await? {
        return Ok(Vec::new());
    }
    let job = JobRequest {
        kind: JobKind::DepositsExchange,
        object_id: "all",
        run_at: now,
        now,
    };
    Ok(enqueue_in_tx(conn, job).await?.into_iter().collect())
}
