//! Objects that wait longer than they should: what they are, since when, what an operator does, and the job that moves
//! them.

use std::collections::BTreeSet;

use ::jobs::operate::{Place, Standing};
use ::jobs::{JobKind, JobRequest, enqueue_many_in_tx};
use chrono::{DateTime, Utc};
use db::models::Action;
use db::{Conn, Pool, acquire, run_tx};
use diesel::pg::Pg;
use diesel::query_builder::{BoxedSqlQuery, SqlQuery};
use diesel::sql_types::{BigInt, Nullable, Text, Timestamptz};
use diesel::{QueryableByName, sql_query};
use diesel_async::RunQueryDsl;
use kernel::IdGen;
use serde_json::{Value, json};

use super::{AT_ONCE, Command, Done, Instruction};
use crate::DomainError;

db::text_enum! {
    /// What can be stuck.
    StuckKind {
        /// An order past its deadline.
        Order = "order",
        /// A transaction that is not final, and not dead. Its id is its txid.
        Transaction = "transaction",
        /// Energy on chain after its rental has ended.
        Delegation = "delegation",
        /// A payout that nobody decides on, or that is not paid.
        Payout = "payout",
        /// A deposit address that is not collected.
        Sweep = "sweep",
        /// Coin that was sent for energy and has come to nothing yet.
        Rental = "rental",
        /// Coin of a supplier's wallet that is to be staked, or stake to be undone.
        Staking = "staking",
        /// A wallet that takes no orders though nobody switched it off.
        Wallet = "wallet",
        /// A network that is not read.
        Network = "network",
    }
}

/// Which stuck objects: those that fit everything that is given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StuckFilter {
    /// Of this kind.
    pub kind: Option<StuckKind>,
    /// This one.
    pub object_id: Option<String>,
    /// In this state.
    pub state: Option<String>,
    /// On this network.
    pub network: Option<String>,
}

/// A stuck object.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Stuck {
    /// What it is.
    #[diesel(sql_type = Text)]
    pub kind: StuckKind,
    /// Its id.
    #[diesel(sql_type = Text)]
    pub object_id: String,
    /// Its own state, or a word for what is wrong with it.
    #[diesel(sql_type = Text)]
    pub state: String,
    /// Since when it waits.
    #[diesel(sql_type = Timestamptz)]
    pub since: DateTime<Utc>,
    /// What it said last.
    #[diesel(sql_type = Nullable<Text>)]
    pub reason: Option<String>,
    /// Its network, where it is of one.
    #[diesel(sql_type = Nullable<Text>)]
    pub network: Option<String>,
    /// The kind of job that moves it; `None` if no job can.
    #[diesel(sql_type = Nullable<Text>)]
    pub job_kind: Option<JobKind>,
    /// The object of that job.
    #[diesel(sql_type = Nullable<Text>)]
    pub job_object_id: Option<String>,
    /// Where that job stands; `None` if nobody asked for it.
    #[diesel(sql_type = Nullable<Text>)]
    pub job_state: Option<Standing>,
    /// Why that job failed last.
    #[diesel(sql_type = Nullable<Text>)]
    pub job_code: Option<String>,
}

impl Stuck {
    /// Its place in the list.
    #[must_use]
    pub fn place(&self) -> Place {
        Place {
            since: self.since,
            kind: self.kind.word().to_owned(),
            object_id: self.object_id.clone(),
        }
    }

    /// What an operator does about it, in English and in Chinese.
    #[must_use]
    #[expect(clippy::too_many_lines, reason = "one arm for each kind, so that none is forgotten")]
    pub fn action(&self) -> (&'static str, &'static str) {
        match (self.kind, self.state.as_str()) {
            (StuckKind::Order, "pending") => (
                "Read its reason: without a wallet that fits, add stake. A re-drive refunds it, since its deadline is over.",
                "查看原因：没有合适的钱包时请增加质押。重新执行会退款，因为已过截止时间。",
            ),
            (StuckKind::Order, _) => (
                "Its transaction is neither in a block nor proven dead: check the endpoints and the network below.",
                "其交易既未上链也未证实失效：检查节点和网络状态。",
            ),
            (StuckKind::Transaction, "included") => (
                "Its block is not final: check that the network is read, then re-drive.",
                "所在区块尚未最终确认：确认扫块正常后重新执行。",
            ),
            (StuckKind::Transaction, _) => (
                "No block shows it: check the last answer and the endpoints, then re-drive to send the same bytes again.",
                "没有区块包含它：查看最后的应答和节点，然后重新执行以再次发送相同的交易。",
            ),
            (StuckKind::Delegation, _) => (
                "Check the wallet's bandwidth and permission, then re-drive.",
                "检查钱包的带宽和权限，然后重新执行。",
            ),
            (StuckKind::Payout, "requested") => (
                "Somebody else than who asked for it approves or rejects it.",
                "需由申请人以外的人批准或拒绝。",
            ),
            (StuckKind::Payout, "approved") => (
                "Read its reason: `no_treasury_fits` wants money in a treasury wallet; after `dead_transaction_landed` see the findings. A re-drive tries it again.",
                "查看原因：no_treasury_fits 表示金库钱包余额不足；dead_transaction_landed 请查看告警。重新执行会再次尝试。",
            ),
            (StuckKind::Payout, _) => (
                "Its transaction is neither final nor proven dead: check the endpoints and the network below, then re-drive.",
                "其交易既未最终确认也未证实失效：检查节点和网络状态，然后重新执行。",
            ),
            (StuckKind::Sweep, _) => (
                "Read its reason and its timeline (`switchyard-worker sweeps show`): no room in the pool, no TRX in the treasury, or endpoints; then re-drive.",
                "查看其原因和时间线（`switchyard-worker sweeps show`）：能量池不足、金库 TRX 不足或节点异常；然后重新执行。",
            ),
            (StuckKind::Rental, "held") => (
                "It bought nothing and its sender may be an exchange: `switchyard-worker rentals return` or `rentals close`.",
                "未能成交且来源地址可能属于交易所：使用 `switchyard-worker rentals return` 退回，或 `rentals close` 结案。",
            ),
            (StuckKind::Rental, _) => (
                "Look at its order or its payout; a re-drive takes the next step.",
                "查看其订单或提现；重新执行会推进下一步。",
            ),
            (StuckKind::Staking, _) => (
                "Read its reason and its timeline (`switchyard-worker stake show`): check the endpoints; then re-drive, or `stake revoke` while it is requested.",
                "查看其原因和时间线（`switchyard-worker stake show`）：检查节点后重新执行；尚未签名时可用 `stake revoke` 放弃。",
            ),
            (StuckKind::Wallet, "importing") => (
                "No worker has opened its key: check that workers serve `wallets` and have the import key, then re-drive.",
                "尚无 worker 打开其私钥：确认有 worker 处理 wallets 队列并持有导入私钥，然后重新执行。",
            ),
            (StuckKind::Wallet, "rejected") => (
                "Its key cannot be used: read the reason and import it again. It leaves this list after 7 days.",
                "私钥无法使用：查看原因后重新导入。7 天后不再列出。",
            ),
            (StuckKind::Wallet, "isolated") => (
                "Look at its last transactions, remove the cause, then switch it on to release it.",
                "查看其最近的交易并排除原因，然后启用钱包以解除隔离。",
            ),
            (StuckKind::Wallet, _) => (
                "Its figures are old: check the endpoints, then re-drive.",
                "钱包数据过旧：检查节点后重新执行。",
            ),
            (StuckKind::Network, "halted") => (
                "Find out which branch is right and fix the endpoints; then `switchyard-worker chain resume <network>`.",
                "确认哪条分叉正确并修正节点配置，然后执行 `switchyard-worker chain resume <network>`。",
            ),
            (StuckKind::Network, "behind") => (
                "It catches up by itself; if it does not, check the endpoints.",
                "会自动追赶；若长时间不变，请检查节点。",
            ),
            (StuckKind::Network, _) => (
                "No node answers, or no worker serves `chain`: check both.",
                "没有节点应答，或没有 worker 处理 chain 队列：请检查两者。",
            ),
        }
    }
}

const STUCK: &str = include_str!("stuck.sql");

type Query<'a> = BoxedSqlQuery<'a, Pg, SqlQuery>;

/// [`STUCK`] and what follows it, whose own parameters begin at `$6`.
fn statement<'a>(sql: String, filter: &'a StuckFilter, now: DateTime<Utc>) -> Query<'a> {
    sql_query(sql)
        .into_boxed::<Pg>()
        .bind::<Timestamptz, _>(now)
        .bind::<Nullable<Text>, _>(filter.kind.map(StuckKind::word))
        .bind::<Nullable<Text>, _>(filter.object_id.as_deref())
        .bind::<Nullable<Text>, _>(filter.state.as_deref())
        .bind::<Nullable<Text>, _>(filter.network.as_deref())
}

/// Stuck objects that fit, those first that have waited longest, after a place in that order.
///
/// # Errors
/// When the database cannot be asked.
pub async fn stuck_page(
    pool: &Pool,
    filter: &StuckFilter,
    after: Option<&Place>,
    limit: i64,
    now: DateTime<Utc>,
) -> Result<Vec<Stuck>, DomainError> {
    let mut conn = acquire(pool).await?;
    let sql = format!(
        "{STUCK} AND ($6 IS NULL OR (s.since, s.kind, s.object_id) > ($6, $7, $8)) \
         ORDER BY s.since, s.kind, s.object_id LIMIT $9"
    );
    let query = statement(sql, filter, now)
        .bind::<Nullable<Timestamptz>, _>(after.map(|place| place.since))
        .bind::<Nullable<Text>, _>(after.map(|place| place.kind.as_str()))
        .bind::<Nullable<Text>, _>(after.map(|place| place.object_id.as_str()))
        .bind::<BigInt, _>(limit);
    Ok(query.load(&mut conn).await?)
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = Text)]
    kind: StuckKind,
    #[diesel(sql_type = BigInt)]
    n: i64,
}

/// How many objects of each kind are stuck.
///
/// # Errors
/// When the database cannot be asked.
pub async fn count_stuck(conn: &mut Conn, now: DateTime<Utc>) -> Result<Vec<(StuckKind, i64)>, DomainError> {
    let sql = format!("SELECT kind, count(*) AS n FROM ({STUCK}) stuck GROUP BY kind");
    let filter = StuckFilter::default();
    let rows: Vec<Count> = statement(sql, &filter, now).load(conn).await?;
    let of = |kind| rows.iter().find(|row| row.kind == kind).map_or(0, |row| row.n);
    Ok(StuckKind::ALL.iter().map(|kind| (*kind, of(*kind))).collect())
}

/// Asks for the jobs that move stuck objects, now. Left alone are objects that no job can move, and those whose job is
/// due or running already: whether workers serve its queue is then the question.
///
/// # Errors
/// When the reason cannot be kept, or the database fails.
pub async fn redrive_stuck(
    pool: &Pool,
    ids: &dyn IdGen,
    instruction: &Instruction,
    filter: &StuckFilter,
    now: DateTime<Utc>,
) -> Result<Done, DomainError> {
    let command = Command::new(ids, Action::StuckRedrive, instruction, in_json(filter), now)?;
    run_tx(pool, "redrive_stuck", async |conn| {
        if instruction.dry_run {
            return Ok(Done::counted(count_movable(conn, filter, now).await?));
        }
        if let Some(done) = command.replay_in_tx(conn).await? {
            return Ok(done);
        }
        let matched = count_movable(conn, filter, now).await?;
        let sql = format!("{STUCK} {MOVABLE} ORDER BY s.since, s.kind, s.object_id LIMIT $6");
        let query = statement(sql, filter, now).bind::<BigInt, _>(AT_ONCE);
        let taken: Vec<Stuck> = query.load(conn).await?;
        let wakes = enqueue_many_in_tx(conn, &requests(&taken, now)).await?;
        let objects = taken.iter().map(as_it_was).collect();
        command.done_in_tx(conn, matched, objects, wakes).await
    })
    .await
}

/// Of the stuck, those that a job would move which is not on its way.
const MOVABLE: &str = "AND s.job_kind IS NOT NULL AND coalesce(j.standing NOT IN ('due', 'running'), true)";

async fn count_movable(conn: &mut Conn, filter: &StuckFilter, now: DateTime<Utc>) -> Result<i64, DomainError> {
    let sql = format!("SELECT count(*) AS n FROM ({STUCK} {MOVABLE}) stuck");
    Ok(statement(sql, filter, now).get_result::<Number>(conn).await?.n)
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

/// The jobs that move these, each once.
fn requests(stuck: &[Stuck], now: DateTime<Utc>) -> Vec<JobRequest<'_>> {
    let jobs: BTreeSet<(JobKind, &str)> = stuck
        .iter()
        .filter_map(|stuck| Some((stuck.job_kind?, stuck.job_object_id.as_deref()?)))
        .collect();
    let request = |(kind, object_id)| JobRequest {
        kind,
        object_id,
        run_at: now,
        now,
    };
    jobs.into_iter().map(request).collect()
}

fn in_json(filter: &StuckFilter) -> Value {
    json!({
        "kind": filter.kind,
        "object_id": filter.object_id,
        "state": filter.state,
        "network": filter.network,
    })
}

fn as_it_was(stuck: &Stuck) -> Value {
    json!({
        "kind": stuck.kind,
        "object_id": stuck.object_id,
        "state": stuck.state,
        "since": stuck.since,
        "job": stuck.job_kind,
        "job_state": stuck.job_state,
        "code": stuck.job_code,
    })
}
