//! Who was shown a password of which operator.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::Conn;
use crate::schema::operator_makers as m;

/// An operator who was shown a password of another. Whoever was, stays so.
#[derive(Debug)]
pub struct OperatorMaker;

impl OperatorMaker {
    /// A password of this operator is shown to `maker`.
    pub async fn add(conn: &mut Conn, (operator, maker): (Uuid, Uuid), at: DateTime<Utc>) -> QueryResult<()> {
        diesel::insert_into(m::table)
            .values((m::operator_id.eq(operator), m::maker_id.eq(maker), m::since.eq(at)))
            .on_conflict_do_nothing()
            .execute(conn)
            .await
            .map(drop)
    }

    /// Each of these operators with each that was shown a password of his.
    pub async fn of(conn: &mut Conn, operators: &[Uuid]) -> QueryResult<Vec<(Uuid, Uuid)>> {
        m::table
            .filter(m::operator_id.eq_any(operators))
            .select((m::operator_id, m::maker_id))
            .load(conn)
            .await
    }
}
