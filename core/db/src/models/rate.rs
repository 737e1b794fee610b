//! What TRX a USDT is worth: rounds of answers, and what operators set.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::Value;
use uuid::Uuid;

use crate::Conn;
use crate::schema::rates as r;
use crate::text_enum;

text_enum! {
    /// Where a rate comes from.
    RateKind {
        /// Out of the answers of several sources.
        Market = "market",
        /// Set by an operator for a time.
        Manual = "manual",
        /// Takes the manual one before it back.
        Cleared = "cleared",
    }
}
text_enum! {
    /// Why a round of answers is not used.
    RateRefusal {
        /// Too few sources gave a price.
        TooFew = "too_few",
        /// An answer is beyond all sense.
        Band = "band",
        /// The answers differ too much.
        Spread = "spread",
        /// The rate is too far from the last accepted one.
        Step = "step",
    }
}

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = r, check_for_backend(diesel::pg::Pg))]
pub struct Rate {
    pub id: Uuid,
    pub at: DateTime<Utc>,
    pub kind: RateKind,
    pub sun_per_usdt: Option<i64>,
    pub refused_as: Option<RateRefusal>,
    pub answers: Value,
    pub ends_at: Option<DateTime<Utc>>,
    pub actor: Option<String>,
    pub note: Option<String>,
}

impl Rate {
    pub async fn insert(&self, conn: &mut Conn) -> QueryResult<()> {
        diesel::insert_into(r::table).values(self).execute(conn).await.map(drop)
    }

    /// The last thing that operators did about the rate: set one, or took it back.
    pub async fn last_by_hand(conn: &mut Conn) -> QueryResult<Option<Self>> {
        r::table
            .filter(r::kind.ne(RateKind::Market))
            .order((r::at.desc(), r::id.desc()))
            .select(Self::as_select())
            .first(conn)
            .await
            .optional()
    }

    /// The newest accepted round.
    pub async fn last_accepted(conn: &mut Conn) -> QueryResult<Option<Self>> {
        r::table
            .filter(r::kind.eq(RateKind::Market).and(r::refused_as.is_null()))
            .order((r::at.desc(), r::id.desc()))
            .select(Self::as_select())
            .first(conn)
            .await
            .optional()
    }

    /// The newest round, accepted or not.
    pub async fn last_round(conn: &mut Conn) -> QueryResult<Option<Self>> {
        r::table
            .filter(r::kind.eq(RateKind::Market))
            .order((r::at.desc(), r::id.desc()))
            .select(Self::as_select())
            .first(conn)
            .await
            .optional()
    }

    /// The newest round in which enough sources gave a price, unless it is as old as `since`.
    pub async fn last_answered(conn: &mut Conn, since: DateTime<Utc>) -> QueryResult<Option<Self>> {
        r::table
            .filter(r::kind.eq(RateKind::Market).and(r::at.gt(since)))
            .filter(
                r::refused_as
                    .is_null()
                    .or(r::refused_as.ne(RateRefusal::TooFew).assume_not_null()),
            )
            .order((r::at.desc(), r::id.desc()))
            .select(Self::as_select())
            .first(conn)
            .await
            .optional()
    }
}
