//! People who sign in.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::Conn;
use crate::schema::operators as o;

#[derive(Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = o, check_for_backend(diesel::pg::Pg))]
pub struct Operator {
    pub id: Uuid,
    pub email: String,
    pub name: String,
    /// Argon2id.
    pub password_hash: String,
    pub password_set_at: DateTime<Utc>,
    pub must_change_password: bool,
    /// `None`: no second factor yet.
    pub totp_sealed: Option<Vec<u8>>,
    /// One that no code of was shown yet.
    pub totp_pending: Option<Vec<u8>>,
    /// The half minute of the last code that was taken.
    pub totp_last_step: Option<i64>,
    /// In a row.
    pub failures: i32,
    pub locked_until: Option<DateTime<Utc>>,
    pub roles: Vec<String>,
    pub disabled_at: Option<DateTime<Utc>>,
    pub last_sign_in_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    pub created_by: String,
}

/// Shows nothing that could be guessed at.
impl std::fmt::Debug for Operator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Operator").field("id", &self.id).finish_non_exhaustive()
    }
}

/// What a sign-in left behind, right or wrong.
#[derive(Debug, Clone, PartialEq, Eq, AsChangeset)]
#[diesel(table_name = o, treat_none_as_null = true)]
pub struct SignInMarks {
    pub totp_sealed: Option<Vec<u8>>,
    pub failures: i32,
    pub locked_until: Option<DateTime<Utc>>,
    pub totp_last_step: Option<i64>,
    pub last_sign_in_at: Option<DateTime<Utc>>,
}

/// What says whether an operator is who he says.
#[derive(AsChangeset)]
#[diesel(table_name = o, treat_none_as_null = true)]
pub struct Credentials {
    pub password_hash: String,
    pub password_set_at: DateTime<Utc>,
    pub must_change_password: bool,
    pub totp_sealed: Option<Vec<u8>>,
    pub totp_pending: Option<Vec<u8>>,
    pub totp_last_step: Option<i64>,
    pub failures: i32,
    pub locked_until: Option<DateTime<Utc>>,
}

impl Operator {
    pub async fn find(conn: &mut Conn, id: Uuid) -> QueryResult<Option<Self>> {
        o::table.find(id).select(Self::as_select()).first(conn).await.optional()
    }

    /// The email in lower case.
    pub async fn find_by_email(conn: &mut Conn, email: &str) -> QueryResult<Option<Self>> {
        o::table
            .filter(o::email.eq(email))
            .select(Self::as_select())
            .first(conn)
            .await
            .optional()
    }

    pub async fn lock(conn: &mut Conn, id: Uuid) -> QueryResult<Option<Self>> {
        o::table
            .find(id)
            .select(Self::as_select())
            .for_update()
            .first(conn)
            .await
            .optional()
    }

    /// By the time of their making, oldest first, after `after`.
    pub async fn page(conn: &mut Conn, after: Option<Uuid>, limit: i64) -> QueryResult<Vec<Self>> {
        let mut query = o::table
            .order(o::id)
            .limit(limit)
            .select(Self::as_select())
            .into_boxed();
        if let Some(after) = after {
            query = query.filter(o::id.gt(after));
        }
        query.load(conn).await
    }

    /// How many that are not disabled have this role. Who changes that meanwhile waits for the end of the transaction.
    pub async fn count_with_role_locked(conn: &mut Conn, role: &str) -> QueryResult<usize> {
        let ids: Vec<Uuid> = o::table
            .filter(o::disabled_at.is_null())
            .filter(o::roles.contains(vec![role]))
            .order(o::id)
            .select(o::id)
            .for_update()
            .load(conn)
            .await?;
        Ok(ids.len())
    }

    /// Whether anybody, disabled or not, has this role.
    pub async fn any_with_role(conn: &mut Conn, role: &str) -> QueryResult<bool> {
        diesel::select(diesel::dsl::exists(o::table.filter(o::roles.contains(vec![role]))))
            .get_result(conn)
            .await
    }

    /// Answers `false` where the e-mail address is taken.
    pub async fn insert(&self, conn: &mut Conn) -> QueryResult<bool> {
        Ok(diesel::insert_into(o::table)
            .values(self)
            .on_conflict(o::email)
            .do_nothing()
            .execute(conn)
            .await?
            == 1)
    }

    /// The caller holds its row.
    pub async fn mark_sign_in(conn: &mut Conn, id: Uuid, marks: SignInMarks) -> QueryResult<()> {
        diesel::update(o::table.find(id))
            .set(marks)
            .execute(conn)
            .await
            .map(drop)
    }

    /// The caller holds its row.
    pub async fn set_credentials(conn: &mut Conn, id: Uuid, credentials: Credentials) -> QueryResult<()> {
        diesel::update(o::table.find(id))
            .set(credentials)
            .execute(conn)
            .await
            .map(drop)
    }

    /// The caller holds its row.
    pub async fn set_standing(
        conn: &mut Conn,
        id: Uuid,
        (name, roles): (&str, &[String]),
        disabled_at: Option<DateTime<Utc>>,
    ) -> QueryResult<()> {
        diesel::update(o::table.find(id))
            .set((o::name.eq(name), o::roles.eq(roles), o::disabled_at.eq(disabled_at)))
            .execute(conn)
            .await
            .map(drop)
    }

    /// What he has now.
    #[must_use]
    pub fn credentials(&self) -> Credentials {
        Credentials {
            password_hash: self.password_hash.clone(),
            password_set_at: self.password_set_at,
            must_change_password: self.must_change_password,
            totp_sealed: self.totp_sealed.clone(),
            totp_pending: self.totp_pending.clone(),
            totp_last_step: self.totp_last_step,
            failures: self.failures,
            locked_until: self.locked_until,
        }
    }
}
