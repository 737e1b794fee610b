//! What one operator wants done with a transfer, until another agrees.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::Conn;
use crate::schema::transfer_proposals as p;
use crate::text_enum;

text_enum! {
    /// Where a proposal stands.
    ProposalState {
        /// Another operator has to agree.
        Open = "open",
        /// One did, and it was carried out.
        Agreed = "agreed",
        /// Something else was wanted.
        Replaced = "replaced",
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = p, check_for_backend(diesel::pg::Pg))]
pub struct TransferProposal {
    pub id: Uuid,
    pub transfer_id: Uuid,
    pub ruling: String,
    pub user_id: Option<i64>,
    pub deposit_id: Option<Uuid>,
    pub proposed_by: String,
    pub reason: String,
    pub proposed_at: DateTime<Utc>,
    pub state: ProposalState,
    pub agreed_by: Option<String>,
    pub ended_at: Option<DateTime<Utc>>,
}

impl TransferProposal {
    pub async fn insert(&self, conn: &mut Conn) -> QueryResult<()> {
        diesel::insert_into(p::table).values(self).execute(conn).await?;
        Ok(())
    }

    /// Open proposals about these transfers.
    pub async fn open_of(conn: &mut Conn, transfers: &[Uuid]) -> QueryResult<Vec<Self>> {
        p::table
            .filter(p::transfer_id.eq_any(transfers))
            .filter(p::state.eq(ProposalState::Open))
            .select(Self::as_select())
            .load(conn)
            .await
    }

    /// Guarded: ends an open proposal; `false` where it had ended.
    pub async fn end(
        conn: &mut Conn,
        id: Uuid,
        (state, agreed_by): (ProposalState, Option<&str>),
        now: DateTime<Utc>,
    ) -> QueryResult<bool> {
        let set = (p::state.eq(state), p::agreed_by.eq(agreed_by), p::ended_at.eq(now));
        let open = p::table.find(id).filter(p::state.eq(ProposalState::Open));
        Ok(diesel::update(open).set(set).execute(conn).await? == 1)
    }
}
