//! What the chain said of receivers.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::upsert::excluded;
use diesel_async::RunQueryDsl;

use crate::schema::receiver_checks as r;
use crate::text_enum;
use crate::{Conn, Prepare as _};

text_enum! {
    /// Whether an address may receive energy.
    Verdict { Ok = "ok", NotActivated = "not_activated", Contract = "contract" }
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = r, check_for_backend(diesel::pg::Pg))]
pub struct ReceiverCheck {
    pub network: String,
    pub address: String,
    pub verdict: Verdict,
    pub checked_at: DateTime<Utc>,
}

impl ReceiverCheck {
    pub async fn upsert(&self, conn: &mut Conn) -> QueryResult<()> {
        diesel::insert_into(r::table)
            .values(self)
            .on_conflict((r::network, r::address))
            .do_update()
            .set((
                r::verdict.eq(excluded(r::verdict)),
                r::checked_at.eq(excluded(r::checked_at)),
            ))
            .prepared()
            .execute(conn)
            .await
            .map(drop)
    }
}
