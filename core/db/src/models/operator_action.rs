//! What operators did by hand: written once, in the transaction of its effect.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::Conn;
use crate::schema::operator_actions as a;
use crate::text_enum;

text_enum! {
    /// What an operator can do.
    Action {
        /// Gave jobs a fresh set of runs.
        JobsRedrive = "jobs.redrive",
        /// Gave dead jobs up.
        JobsDrop = "jobs.drop",
        /// Asked for the jobs of stuck objects.
        StuckRedrive = "stuck.redrive",
        /// Closed a finding.
        FindingsResolve = "findings.resolve",
        /// Had messages sent again.
        WebhooksResend = "webhooks.resend",
        /// Switched an endpoint on or off, or changed what it is told.
        WebhooksChange = "webhooks.change",
        /// Agreed to a payout.
        PayoutsApprove = "payouts.approve",
        /// Refused a payout.
        PayoutsReject = "payouts.reject",
        /// Gave a user a transfer that waited.
        DepositsCredit = "deposits.credit",
        /// Gave a transfer that waited to the deposit that it was meant for.
        DepositsAttach = "deposits.attach",
        /// Wanted something done with a transfer that another has to agree to.
        DepositsPropose = "deposits.propose",
        /// Let a transfer be.
        DepositsIgnore = "deposits.ignore",
        /// Noted that a transfer was paid back.
        DepositsRefund = "deposits.refund",
        /// Took the credit of a transfer back.
        DepositsReverse = "deposits.reverse",
        /// Set the rate by hand for a time.
        RatesSet = "rates.set",
        /// Took a rate that was set by hand back.
        RatesClear = "rates.clear",
        /// Had a sweep looked at now.
        SweepsRetry = "sweeps.retry",
        /// Gave a sweep up.
        SweepsCancel = "sweeps.cancel",
        /// Had coin that bought nothing sent back.
        RentalsReturn = "rentals.return",
        /// Let coin that bought nothing be.
        RentalsClose = "rentals.close",
        /// Had coin of a supplier's wallet staked, or that undone.
        StakingsRequest = "stakings.request",
        /// Gave such a wish up.
        StakingsRevoke = "stakings.revoke",
        /// Gave a supplier's wallet another key.
        WalletsReplaceKey = "wallets.replace_key",
        /// Agreed to what another asked for.
        ApprovalsApprove = "approvals.approve",
        /// Refused what another asked for, or took back what he asked for himself.
        ApprovalsReject = "approvals.reject",
        /// Put another price table in force.
        PricesPublish = "prices.publish",
        /// Had waiting orders tried now.
        OrdersRetry = "orders.retry",
        /// Gave the money of orders back.
        OrdersRefund = "orders.refund",
        /// Wrote a note at orders.
        OrdersNote = "orders.note",
    }
}

#[derive(Debug, Clone, PartialEq, Queryable, Selectable)]
#[diesel(table_name = a, check_for_backend(diesel::pg::Pg))]
pub struct OperatorAction {
    pub id: Uuid,
    pub at: DateTime<Utc>,
    pub actor: String,
    pub actor_name: String,
    pub action: Action,
    pub filter: Value,
    pub reason: Option<String>,
    pub matched: i64,
    pub affected: i64,
    pub objects: Value,
}

#[derive(Debug, Insertable)]
#[diesel(table_name = a)]
pub struct NewOperatorAction<'a> {
    pub id: Uuid,
    pub at: DateTime<Utc>,
    pub actor: &'a str,
    pub actor_name: &'a str,
    pub action: Action,
    pub filter: &'a Value,
    pub reason: Option<&'a str>,
    pub matched: i64,
    pub affected: i64,
    pub objects: Value,
}

/// What a list of actions is narrowed to.
#[derive(Debug, Clone, Copy, Default)]
pub struct ActionFilter<'a> {
    pub action: Option<Action>,
    pub actor: Option<&'a str>,
    /// Only those that changed the object with this id.
    pub object_id: Option<&'a str>,
}

impl NewOperatorAction<'_> {
    pub async fn insert(&self, conn: &mut Conn) -> QueryResult<()> {
        diesel::insert_into(a::table).values(self).execute(conn).await.map(drop)
    }
}

impl OperatorAction {
    pub async fn find(conn: &mut Conn, id: Uuid) -> QueryResult<Option<Self>> {
        a::table.find(id).select(Self::as_select()).first(conn).await.optional()
    }

    /// A page, newest first, of the actions before `before`.
    pub async fn page(
        conn: &mut Conn,
        filter: ActionFilter<'_>,
        before: Option<Uuid>,
        limit: i64,
    ) -> QueryResult<Vec<Self>> {
        let mut query = a::table
            .select(Self::as_select())
            .order(a::id.desc())
            .limit(limit)
            .into_boxed();
        if let Some(action) = filter.action {
            query = query.filter(a::action.eq(action));
        }
        if let Some(actor) = filter.actor {
            query = query.filter(a::actor.eq(actor));
        }
        if let Some(object) = filter.object_id {
            query = query.filter(a::objects.contains(json!([{ "object_id": object }])));
        }
        if let Some(before) = before {
            query = query.filter(a::id.lt(before));
        }
        query.load(conn).await
    }
}
