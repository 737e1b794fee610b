//! What the database says of the orders of a run: whether all have come to a good end, and when each step of each was
//! there for others to see. Times are those of the commits, which PostgreSQL keeps when asked to; where a process noted a
//! time itself, it is that.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::load::Answer;
use super::stats::Spread;
use crate::services::{DATABASE, Services};
use crate::stage::children::Children;
use crate::stage::wait::Waiting;

/// Between two looks: each costs a process and a connection.
pub(crate) const LOOK: Duration = Duration::from_millis(500);
const OPEN: &str = "SELECT (SELECT count(*) FROM orders WHERE state IN ('pending', 'processing', 'failed')), \
    (SELECT count(*) FROM orders WHERE state = 'completed' AND settled_at IS NULL)";
/// Of each order: paid, its payment committed, signed bytes committed, sent and answered, completion committed.
const STEPS: &str = "
    SELECT o.id, o.state, us(o.created_at), us(pg_xact_commit_timestamp(accepted.xmin)),
        us(pg_xact_commit_timestamp(signed.xmin)), us(t.last_sent_at), us(pg_xact_commit_timestamp(completed.xmin))
    FROM orders o
    JOIN order_events accepted ON accepted.order_id = o.id AND accepted.event = 'accepted'
    LEFT JOIN order_events signed ON signed.order_id = o.id AND signed.event = 'signed'
    LEFT JOIN order_events completed ON completed.order_id = o.id AND completed.event = 'completed'
    LEFT JOIN delegations d ON d.order_id = o.id AND d.state <> 'released'
    LEFT JOIN chain_transactions t ON t.intent_kind = 'delegate' AND t.intent_id = d.id AND t.state <> 'dead'";
const MICROSECONDS: &str = "CREATE OR REPLACE FUNCTION pg_temp.us(timestamptz) RETURNS bigint LANGUAGE sql IMMUTABLE AS
    'SELECT (EXTRACT(EPOCH FROM $1) * 1000000)::bigint';";

/// When an order's steps were done, in microseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Steps {
    state: String,
    pub(crate) created: i64,
    pub(crate) accepted: i64,
    signed: Option<i64>,
    sent: Option<i64>,
    completed: Option<i64>,
}

/// How long the steps of a run's orders took.
#[derive(Debug)]
pub(crate) struct Times {
    pub(crate) completed: usize,
    pub(crate) refunded: usize,
    /// From the sending of the request.
    pub(crate) post_to_broadcast: Option<Spread>,
    pub(crate) post_to_completed: Option<Spread>,
    /// From the payment's own time.
    pub(crate) paid_to_broadcast: Option<Spread>,
    /// The way in parts: payment committed, signed bytes committed, answer of the node, completion committed.
    pub(crate) accepted_to_signed: Option<Spread>,
    pub(crate) signed_to_broadcast: Option<Spread>,
    pub(crate) broadcast_to_completed: Option<Spread>,
    /// When the last one was completed.
    pub(crate) last_us: i64,
}

/// Waits until no order is open and everything delivered is settled.
pub(crate) fn wait_for_all(services: &Services, children: &Children, waiting: &Waiting<'_>) -> Result<()> {
    let psql = services.psql()?;
    waiting.until_every(LOOK, children, "every order comes to its end", || {
        let row = psql.run(DATABASE, OPEN)?;
        Ok((row.trim() == "0\t0").then_some(()))
    })
}

/// Every order of the database, by id.
pub(crate) fn steps(services: &Services) -> Result<HashMap<String, Steps>> {
    let sql = format!("{MICROSECONDS}{}", STEPS.replace("us(", "pg_temp.us("));
    let rows = services.psql()?.run(DATABASE, &sql)?;
    rows.lines().map(parse).collect()
}

fn parse(line: &str) -> Result<(String, Steps)> {
    let fields: Vec<&str> = line.split('\t').collect();
    let &[id, state, created, accepted, signed, sent, completed] = &fields[..] else {
        bail!("an order of {} fields", fields.len());
    };
    let time = |text: &str| (!text.is_empty()).then(|| text.parse().context("a time")).transpose();
    let steps = Steps {
        state: state.to_owned(),
        created: time(created)?.context("an order that was never made")?,
        accepted: time(accepted)?.context("a commit without its time")?,
        signed: time(signed)?,
        sent: time(sent)?,
        completed: time(completed)?,
    };
    Ok((id.to_owned(), steps))
}

impl Times {
    /// Puts the answers that clients got to the orders in the database; an error if an order is missing or open.
    pub(crate) fn of(answers: &[Answer], steps: &HashMap<String, Steps>) -> Result<Self> {
        let mut orders: Vec<(&Answer, &Steps)> = Vec::with_capacity(answers.len());
        for answer in answers {
            let found = steps.get(&answer.id);
            orders.push((answer, found.with_context(|| format!("order {} is lost", answer.id))?));
        }
        let in_state = |states: &[&str]| {
            orders
                .iter()
                .filter(|(_, steps)| states.contains(&steps.state.as_str()))
                .count()
        };
        let (completed, refunded) = (in_state(&["completed"]), in_state(&["refunded", "cancelled"]));
        if completed + refunded < orders.len() {
            bail!("{} orders are still open", orders.len() - completed - refunded);
        }
        let spread = |took: &dyn Fn(&Answer, &Steps) -> Option<i64>| {
            Spread::of(
                orders
                    .iter()
                    .filter_map(|(answer, steps)| took(answer, steps))
                    .collect(),
            )
        };
        Ok(Self {
            completed,
            refunded,
            post_to_broadcast: spread(&|answer, steps| Some(steps.sent? - answer.start_us)),
            post_to_completed: spread(&|answer, steps| Some(steps.completed? - answer.start_us)),
            paid_to_broadcast: spread(&|_, steps| Some(steps.sent? - steps.created)),
            accepted_to_signed: spread(&|_, steps| Some(steps.signed? - steps.accepted)),
            signed_to_broadcast: spread(&|_, steps| Some(steps.sent? - steps.signed?)),
            broadcast_to_completed: spread(&|_, steps| Some(steps.completed? - steps.sent?)),
            last_us: orders
                .iter()
                .filter_map(|(_, steps)| steps.completed)
                .max()
                .unwrap_or_default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(id: &str) -> Answer {
        Answer {
            status: 201,
            start_us: 1_000,
            took_us: 500,
            id: id.to_owned(),
        }
    }

    #[test]
    fn each_order_is_accounted_for() {
        let rows = "a\tcompleted\t1200\t1400\t2000\t3000\t9000\nb\trefunded\t1300\t1500\t\t\t";
        let steps: HashMap<_, _> = rows.lines().map(|line| parse(line).unwrap()).collect();
        let times = Times::of(&[answer("a"), answer("b")], &steps).unwrap();
        assert_eq!((times.completed, times.refunded, times.last_us), (1, 1, 9_000));
        assert_eq!(times.post_to_broadcast, Spread::of(vec![2_000]));
        assert_eq!(times.post_to_completed, Spread::of(vec![8_000]));
        assert_eq!(times.paid_to_broadcast, Spread::of(vec![1_800]));
        assert_eq!(times.signed_to_broadcast, Spread::of(vec![1_000]));
        assert!(
            Times::of(&[answer("c")], &steps)
                .unwrap_err()
                .to_string()
                .contains("lost")
        );
    }

    #[test]
    fn an_open_order_is_an_error() {
        let steps = HashMap::from([parse("a\tprocessing\t1200\t1400\t2000\t\t").unwrap()]);
        assert!(Times::of(&[answer("a")], &steps).is_err());
        assert!(parse("a\tprocessing").is_err());
    }
}
