//! How far each network is read.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::schema::chain_cursors;
use crate::{Conn, Prepare as _};

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = chain_cursors, check_for_backend(diesel::pg::Pg))]
pub struct ChainCursor {
    pub network: String,
    pub head_number: i64,
    pub head_block_id: String,
    pub head_time: DateTime<Utc>,
    pub solid_number: i64,
    pub solid_block_id: String,
    pub solid_time: DateTime<Utc>,
    pub tip_number: i64,
    pub first_number: i64,
    pub total_energy_limit: i64,
    pub total_energy_weight: i64,
    pub lease_holder: Option<String>,
    pub lease_until: Option<DateTime<Utc>>,
    pub halted_reason: Option<String>,
    pub halted_at: Option<DateTime<Utc>>,
    pub updated_at: DateTime<Utc>,
}

impl ChainCursor {
    pub async fn find(conn: &mut Conn, network: &str) -> QueryResult<Option<Self>> {
        chain_cursors::table
            .find(network)
            .select(Self::as_select())
            .first(conn)
            .await
            .optional()
    }

    pub async fn list(conn: &mut Conn) -> QueryResult<Vec<Self>> {
        chain_cursors::table
            .order(chain_cursors::network)
            .select(Self::as_select())
            .load(conn)
            .await
    }

    /// The cursor, locked until the transaction ends.
    pub async fn lock(conn: &mut Conn, network: &str) -> QueryResult<Option<Self>> {
        chain_cursors::table
            .find(network)
            .select(Self::as_select())
            .for_update()
            .first(conn)
            .await
            .optional()
    }

    /// Starts a network; no effect where it is started already. That it was heard of is noted by the database's clock,
    /// whatever `updated_at` says: nobody else's is compared with it.
    pub async fn insert_if_missing(&self, conn: &mut Conn) -> QueryResult<bool> {
        let rows = diesel::insert_into(chain_cursors::table)
            .values(self)
            .on_conflict_do_nothing()
            .prepared()
            .execute(conn)
            .await?;
        if rows == 1 {
            Self::set_tip(conn, &self.network, self.tip_number).await?;
        }
        Ok(rows == 1)
    }

    /// Takes or renews the lease; `false` while another holder's runs.
    pub async fn lease(
        conn: &mut Conn,
        network: &str,
        holder: &str,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> QueryResult<bool> {
        use chain_cursors as c;
        let free = c::lease_until.is_null().or(c::lease_until.lt(now).assume_not_null());
        let mine = c::lease_holder.eq(holder).assume_not_null();
        let row = c::table.filter(c::network.eq(network)).filter(free.or(mine));
        let rows = diesel::update(row)
            .set((c::lease_holder.eq(holder), c::lease_until.eq(until)))
            .prepared()
            .execute(conn)
            .await?;
        Ok(rows == 1)
    }

    /// Gives the lease back, if it is this holder's.
    pub async fn release(conn: &mut Conn, network: &str, holder: &str) -> QueryResult<()> {
        use chain_cursors as c;
        let mine = c::table
            .filter(c::network.eq(network))
            .filter(c::lease_holder.eq(holder));
        diesel::update(mine)
            .set(c::lease_until.eq(None::<DateTime<Utc>>))
            .execute(conn)
            .await?;
        Ok(())
    }

    /// Notes the nodes' newest block: whether or not it is applied yet, the chain was heard of.
    pub async fn set_tip(conn: &mut Conn, network: &str, tip: i64) -> QueryResult<()> {
        use chain_cursors as c;
        diesel::update(c::table.find(network))
            .set((c::tip_number.eq(tip), c::updated_at.eq(diesel::dsl::now)))
            .prepared()
            .execute(conn)
            .await
            .map(drop)
    }

    /// Whether what we know of the network is recent: heard of within `heard` seconds by the database's clock, the newest
    /// block no older than `made` seconds, since a node that stands still answers, too, and applied up to `blocks` behind the
    /// nodes' newest block. On an older view nothing should be signed: it would expire unseen.
    pub async fn is_current(
        conn: &mut Conn,
        network: &str,
        (heard, made): (i32, i32),
        blocks: i64,
    ) -> QueryResult<bool> {
        use chain_cursors as c;
        let since = diesel::dsl::sql::<diesel::sql_types::Bool>("updated_at > now() - make_interval(secs => ")
            .bind::<diesel::sql_types::Integer, _>(heard)
            .sql(") AND head_time > now() - make_interval(secs => ")
            .bind::<diesel::sql_types::Integer, _>(made)
            .sql(")");
        let row = c::table.find(network).filter(c::halted_at.is_null());
        let row = row.filter(c::head_number.ge(c::tip_number - blocks)).filter(since);
        diesel::select(diesel::dsl::exists(row)).get_result(conn).await
    }

    /// Moves the head; the caller holds the lock.
    pub async fn set_head(conn: &mut Conn, network: &str, head: (i64, &str, DateTime<Utc>)) -> QueryResult<()> {
        use chain_cursors as c;
        diesel::update(c::table.find(network))
            .set((
                c::head_number.eq(head.0),
                c::head_block_id.eq(head.1),
                c::head_time.eq(head.2),
                c::updated_at.eq(diesel::dsl::now),
            ))
            .prepared()
            .execute(conn)
            .await
            .map(drop)
    }

    /// Moves the solidified head; the caller holds the lock.
    pub async fn set_solid(conn: &mut Conn, network: &str, solid: (i64, &str, DateTime<Utc>)) -> QueryResult<()> {
        use chain_cursors as c;
        diesel::update(c::table.find(network))
            .set((
                c::solid_number.eq(solid.0),
                c::solid_block_id.eq(solid.1),
                c::solid_time.eq(solid.2),
                c::updated_at.eq(diesel::dsl::now),
            ))
            .prepared()
            .execute(conn)
            .await
            .map(drop)
    }

    /// What is the same already is not written, so that it waits for nobody who holds the row.
    pub async fn set_market(conn: &mut Conn, network: &str, limit: i64, weight: i64) -> QueryResult<()> {
        use chain_cursors as c;
        let other = c::total_energy_limit.ne(limit).or(c::total_energy_weight.ne(weight));
        diesel::update(c::table.find(network).filter(other))
            .set((c::total_energy_limit.eq(limit), c::total_energy_weight.eq(weight)))
            .prepared()
            .execute(conn)
            .await
            .map(drop)
    }

    /// Stops scanning until an operator clears it; `None` clears.
    pub async fn set_halted(
        conn: &mut Conn,
        network: &str,
        reason: Option<&str>,
        now: DateTime<Utc>,
    ) -> QueryResult<bool> {
        use chain_cursors as c;
        let at = reason.map(|_| now);
        let rows = diesel::update(c::table.find(network))
            .set((
                c::halted_reason.eq(reason),
                c::halted_at.eq(at),
                c::updated_at.eq(diesel::dsl::now),
            ))
            .prepared()
            .execute(conn)
            .await?;
        Ok(rows == 1)
    }
}
