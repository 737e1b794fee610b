//! The one statement that writes transfers. It opens missing accounts on the way, so that a posting is one round trip.
//!
//! diesel never keeps the prepared form of `sql_query`, which would cost the hot path a second round trip and a parse;
//! a query fragment of a known type is prepared once per connection.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use diesel::QueryResult;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use uuid::Uuid;

use crate::{Account, Reason, Transfer};

/// The columns of the rows to be written, each as one array.
pub(super) struct PostStatement<'a> {
    accounts: Vec<String>,
    users: Vec<Option<i64>>,
    assets_of_accounts: Vec<&'static str>,
    events: Vec<&'a str>,
    debits: Vec<String>,
    credits: Vec<String>,
    assets: Vec<&'static str>,
    amounts: Vec<i64>,
    reasons: Vec<Reason>,
    orders: Vec<Option<Uuid>>,
    payouts: Vec<Option<Uuid>>,
    actors: Vec<Option<&'a str>>,
    notes: Vec<Option<&'a str>>,
    times: Vec<DateTime<Utc>>,
}

impl<'a> PostStatement<'a> {
    /// Writes `transfers` in their order; answers the events that were not there before.
    pub(super) fn of(transfers: &[&'a Transfer]) -> Self {
        let legs = transfers
            .iter()
            .flat_map(|transfer| [&transfer.debit, &transfer.credit]);
        let accounts: BTreeSet<&Account> = legs.collect();
        Self {
            accounts: accounts.iter().map(|account| account.code()).collect(),
            users: accounts
                .iter()
                .map(|account| account.user().map(|user| user.0))
                .collect(),
            assets_of_accounts: accounts.iter().map(|account| account.asset().code()).collect(),
            events: transfers.iter().map(|transfer| transfer.event.as_str()).collect(),
            debits: transfers.iter().map(|transfer| transfer.debit.code()).collect(),
            credits: transfers.iter().map(|transfer| transfer.credit.code()).collect(),
            assets: transfers.iter().map(|transfer| transfer.debit.asset().code()).collect(),
            amounts: transfers.iter().map(|transfer| transfer.amount.minor()).collect(),
            reasons: transfers.iter().map(|transfer| transfer.reason).collect(),
            orders: transfers
                .iter()
                .map(|transfer| transfer.order.map(|order| order.0))
                .collect(),
            payouts: transfers
                .iter()
                .map(|transfer| transfer.payout.map(|payout| payout.0))
                .collect(),
            actors: transfers.iter().map(|transfer| transfer.actor.as_deref()).collect(),
            notes: transfers.iter().map(|transfer| transfer.note.as_deref()).collect(),
            times: transfers.iter().map(|transfer| transfer.at).collect(),
        }
    }
}

impl QueryFragment<Pg> for PostStatement<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(
            "WITH opened AS (INSERT INTO ledger_accounts (code, user_id, asset, balance) \
             SELECT w.code, w.user_id, w.asset, CASE WHEN w.user_id IS NOT NULL THEN 0 END FROM unnest(",
        );
        out.push_bind_param::<Array<Text>, _>(&self.accounts)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<BigInt>>, _>(&self.users)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Text>, _>(&self.assets_of_accounts)?;
        out.push_sql(
            ") AS w (code, user_id, asset) WHERE NOT EXISTS (SELECT 1 FROM ledger_accounts a WHERE a.code = w.code) \
             ON CONFLICT DO NOTHING) \
             INSERT INTO ledger_transfers (event, debit_account, credit_account, asset, amount, reason, order_id, \
             payout_id, actor, note, created_at) \
             SELECT m.event, m.debit, m.credit, m.asset, m.amount, m.reason, m.order_id, m.payout_id, m.actor, m.note, m.at \
             FROM unnest(",
        );
        out.push_bind_param::<Array<Text>, _>(&self.events)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Text>, _>(&self.debits)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Text>, _>(&self.credits)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Text>, _>(&self.assets)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<BigInt>, _>(&self.amounts)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Text>, _>(&self.reasons)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<SqlUuid>>, _>(&self.orders)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<SqlUuid>>, _>(&self.payouts)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<Text>>, _>(&self.actors)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<Text>>, _>(&self.notes)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Timestamptz>, _>(&self.times)?;
        out.push_sql(
            ") WITH ORDINALITY AS m (event, debit, credit, asset, amount, reason, order_id, payout_id, actor, note, at, n) \
             ORDER BY m.n ON CONFLICT (event) DO NOTHING RETURNING event",
        );
        Ok(())
    }
}

impl QueryId for PostStatement<'_> {
    type QueryId = PostStatement<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl Query for PostStatement<'_> {
    type SqlType = Text;
}
