//! Deciding about transfers in solidified blocks, in the order of the chain, and crediting them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use db::models::{
    AddressKind, ChainCursor, Decision, Deposit, DepositAddress, EventType, IncomingTransfer, Receipt, SupplierWallet,
    TransferKind, TransferState,
};
use db::{Conn, Pool, run_tx};
use jobs::Wake;
use kernel::{Amount, Asset, IdGen, UserId};
use ledger::movements::{DepositCredit, OnChain, credit_and_exchange_in_tx};
use serde_json::json;
use uuid::Uuid;

use super::classify::{self, Arrival, Destination, Fate, LARGEST, OLDER, Verdict, classify};
use super::news::{tell_of_deposits_in_tx, tell_of_transfers_in_tx};
use super::order::orders_due_in_tx;
use super::record::is_by_contract;
use crate::findings::{self, FindingKind};
use crate::orders::guarded;
use crate::rates::RatePolicy;
use crate::rentals::{self, RentalPolicy, RentalTransfer};
use crate::{DomainError, WORKER, exchanges};

/// Deposits of one address that a transfer to it may be for: the newest so many.
const NEWEST: i64 = 50;

/// What is money on a network, and from whom.
#[derive(Debug, Clone, Default)]
pub struct CreditPolicy {
    /// The tokens that are money, by their contracts' addresses.
    pub tokens: BTreeMap<String, Asset>,
    /// The least that is worth a line in the books.
    pub dust: BTreeMap<Asset, Amount>,
    /// Senders that we take nothing from.
    pub blocked: BTreeSet<String>,
    /// How USDT is exchanged as it is credited; `None` where it is kept.
    pub exchange: Option<RatePolicy>,
    /// What coin buys at the published address; `None` where it buys nothing.
    pub rental: Option<RentalPolicy>,
}

/// What one round decided.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Credited {
    /// Transfers that were decided about; fewer than asked for when no more wait.
    pub decided: usize,
    /// How many of them a user got.
    pub credited: usize,
    /// How many wait for an operator.
    pub held: usize,
    /// To be pushed after the commit.
    pub wakes: Vec<Wake>,
}

/// Of which transfers receivers are told what.
#[derive(Default)]
struct News {
    credited: Vec<Uuid>,
    partial: Vec<Uuid>,
    held: Vec<Uuid>,
}

impl News {
    fn note(&mut self, transfer: Uuid, verdict: &Verdict) {
        match verdict.fate {
            Fate::Credit(_) => self.credited.push(transfer),
            Fate::Hold => self.held.push(transfer),
            Fate::Ignore => {}
        }
        if verdict.kind == TransferKind::Partial {
            self.partial.push(transfer);
        }
    }

    async fn tell_in_tx(self, conn: &mut Conn, ids: &dyn IdGen, now: DateTime<Utc>) -> Result<(), DomainError> {
        for (event_type, transfers) in [
            (EventType::DepositCredited, self.credited),
            (EventType::DepositPartial, self.partial),
            (EventType::DepositHeld, self.held),
        ] {
            tell_of_transfers_in_tx(conn, ids, event_type, &transfers, now).await?;
        }
        Ok(())
    }
}

/// Decides about up to `limit` transfers in solidified blocks, the oldest first, and credits what is to be credited, each
/// once. Nothing is final while the network is halted.
///
/// # Errors
/// When the ledger or the database fails; nothing is written then.
pub async fn credit(
    pool: &Pool,
    ids: &dyn IdGen,
    network: &str,
    policy: &CreditPolicy,
    limit: i64,
    now: DateTime<Utc>,
) -> Result<Credited, DomainError> {
    run_tx(pool, "credit_deposits", async |conn| {
        let Some(cursor) = going(conn, network).await? else {
            return Ok(Credited::default()); // the next solidified block after it is resumed asks for this again
        };
        let waiting = IncomingTransfer::lock_undecided(conn, network, cursor.solid_number, limit).await?;
        let addresses = addresses_of(conn, &waiting).await?;
        let own = senders_of_ours(conn, &waiting).await?;
        let mut done = Credited::default();
        let mut credits = Vec::new();
        let mut news = News::default();
        let mut paid = Vec::new();
        let mut rented = Vec::new();
        for transfer in &waiting {
            let address = transfer.address_id.and_then(|id| addresses.get(&id));
            let from = Origin {
                ours: own.contains(&transfer.from_address),
                early: is_early(transfer, address, cursor.first_number),
            };
            let (arrival, announced) = facts_in_tx(conn, policy, transfer, (address, from)).await?;
            let verdict = classify(&arrival, &announced);
            if let Some(credit) = apply_in_tx(conn, transfer, &arrival, &announced, &verdict, now).await? {
                paid.extend(verdict.deposit);
                if verdict.kind == TransferKind::Rental {
                    let amount = credit.amount;
                    rented.push(RentalTransfer { transfer, amount });
                }
                credits.push((transfer.id, credit));
            }
            done.decided += 1;
            news.note(transfer.id, &verdict);
            if verdict.fate == Fate::Hold {
                done.held += 1;
                hold_in_tx(conn, ids, (transfer, arrival.early), &verdict, now).await?;
            }
        }
        done.credited = credits.len();
        post_in_tx(conn, ids, policy.exchange.as_ref(), credits, now).await?;
        done.wakes = orders_due_in_tx(conn, &paid, now).await?;
        if let Some(policy) = &policy.rental {
            done.wakes
                .extend(rentals::record_in_tx(conn, policy, &rented, now).await?);
        }
        news.tell_in_tx(conn, ids, now).await?;
        Ok(done)
    })
    .await
}

/// Credits what transfers, named by their rows, brought, and exchanges it where that is asked for.
///
/// # Errors
/// When the ledger or the database fails.
pub(crate) async fn post_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    exchange: Option<&RatePolicy>,
    credits: Vec<(Uuid, DepositCredit)>,
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    let planned = match exchange {
        Some(policy) => {
            let named: Vec<(Uuid, &DepositCredit)> = credits.iter().map(|(id, credit)| (*id, credit)).collect();
            exchanges::plan_in_tx(conn, ids, policy, &named, now).await?
        }
        None => exchanges::Planned::default(),
    };
    let credits: Vec<DepositCredit> = credits.into_iter().map(|(_, credit)| credit).collect();
    credit_and_exchange_in_tx(conn, &credits, &planned.legs).await?;
    exchanges::tell_in_tx(conn, ids, &planned.done, now).await
}

/// Ends up to `limit` deposits whose time is over by the solidified block, and releases amounts that were held long enough.
/// Answers how many. Waits until everything up to that block is decided, so that nothing that came in time is late.
///
/// # Errors
/// When the database fails; nothing is written then.
pub async fn expire(
    pool: &Pool,
    ids: &dyn IdGen,
    network: &str,
    limit: i64,
    now: DateTime<Utc>,
) -> Result<usize, DomainError> {
    run_tx(pool, "expire_deposits", async |conn| {
        let Some(cursor) = going(conn, network).await? else {
            return Ok(0);
        };
        if IncomingTransfer::any_undecided(conn, network, cursor.solid_number).await? {
            return Ok(0);
        }
        let time = cursor.solid_time;
        let expired = Deposit::expire(conn, network, time, limit, now).await?;
        tell_of_deposits_in_tx(conn, ids, EventType::DepositExpired, &expired, now).await?;
        Ok(expired.len() + Deposit::release_amounts(conn, network, time, limit, now).await?)
    })
    .await
}

async fn going(conn: &mut Conn, network: &str) -> Result<Option<ChainCursor>, DomainError> {
    let cursor = ChainCursor::find(conn, network).await?;
    let cursor = cursor.ok_or(DomainError::NotFound("network"))?;
    Ok(cursor.halted_at.is_none().then_some(cursor))
}

async fn addresses_of(
    conn: &mut Conn,
    transfers: &[IncomingTransfer],
) -> Result<HashMap<Uuid, DepositAddress>, DomainError> {
    let wanted: BTreeSet<Uuid> = transfers.iter().filter_map(|transfer| transfer.address_id).collect();
    let wanted: Vec<Uuid> = wanted.into_iter().collect();
    let rows = DepositAddress::by_ids(conn, &wanted).await?;
    Ok(rows.into_iter().map(|row| (row.id, row)).collect())
}

/// Senders of these transfers that are wallets of ours: what they send was credited before, or was never a customer's.
pub(super) async fn senders_of_ours(
    conn: &mut Conn,
    transfers: &[IncomingTransfer],
) -> Result<BTreeSet<String>, DomainError> {
    let senders: BTreeSet<&String> = transfers.iter().map(|transfer| &transfer.from_address).collect();
    if senders.is_empty() {
        return Ok(BTreeSet::new());
    }
    let senders: Vec<String> = senders.into_iter().cloned().collect();
    Ok(SupplierWallet::among(conn, &senders).await?.into_iter().collect())
}

/// What a transfer is of, if it is money here.
pub(super) fn asset_of(policy: &CreditPolicy, transfer: &IncomingTransfer) -> Option<Asset> {
    match &transfer.token {
        None => Some(Asset::Trx),
        Some(token) => policy.tokens.get(token).copied(),
    }
}

/// How much a transfer brings, if that can be held.
pub(crate) fn amount_of(transfer: &IncomingTransfer) -> Option<Amount> {
    let minor: i64 = transfer.amount.parse().ok()?;
    Amount::from_minor(minor).ok().filter(|amount| *amount <= LARGEST)
}

/// Where a transfer is from, in space and in time.
struct Origin {
    ours: bool,
    early: bool,
}

/// Whether a transfer is older than the address, or than the first block of its network that we read.
fn is_early(transfer: &IncomingTransfer, address: Option<&DepositAddress>, first: i64) -> bool {
    let older = |address: &DepositAddress| transfer.block_time < address.created_at - OLDER;
    transfer.block_number < first || address.is_some_and(older)
}

/// The facts of a transfer, and the deposits that it may be for, locked.
async fn facts_in_tx<'t>(
    conn: &mut Conn,
    policy: &CreditPolicy,
    transfer: &'t IncomingTransfer,
    (address, from): (Option<&DepositAddress>, Origin),
) -> Result<(Arrival<'t>, Vec<Deposit>), DomainError> {
    let (asset, amount) = (asset_of(policy, transfer), amount_of(transfer));
    let arrival = Arrival {
        asset,
        amount,
        at: transfer.block_time,
        memo: transfer.memo.as_deref(),
        to: address.map(|address| Destination {
            kind: address.kind,
            user: address.user_id.map(UserId),
            retired: address.retired_at.is_some(),
        }),
        sender_blocked: policy.blocked.contains(&transfer.from_address),
        sender_is_ours: from.ours,
        early: from.early,
        by_contract: is_by_contract(transfer.log_index),
        dust_below: asset
            .and_then(|asset| policy.dust.get(&asset))
            .copied()
            .unwrap_or_default(),
        rents_for: policy.rental.as_ref().map(|rental| rental.house.user),
    };
    let (Some(address), Some(asset), Some(amount)) = (address, asset, amount) else {
        return Ok((arrival, Vec::new()));
    };
    let announced = match address.kind {
        AddressKind::User => Deposit::lock_of_address(conn, address.id, asset.code(), NEWEST).await?,
        AddressKind::Shared => {
            let codes = classify::codes(transfer.memo.as_deref());
            let named = (amount.minor(), transfer.block_time, codes.as_slice());
            Deposit::lock_named(conn, address.id, asset.code(), named).await?
        }
        AddressKind::Rental => Vec::new(),
    };
    Ok((arrival, announced))
}

/// Writes a verdict down: the transfer's row, the deposit's, and what is to be credited.
async fn apply_in_tx(
    conn: &mut Conn,
    transfer: &IncomingTransfer,
    arrival: &Arrival<'_>,
    announced: &[Deposit],
    verdict: &Verdict,
    now: DateTime<Utc>,
) -> Result<Option<DepositCredit>, DomainError> {
    let deposit = announced.iter().find(|deposit| Some(deposit.id) == verdict.deposit);
    let credit = match (verdict.fate, arrival.asset, arrival.amount) {
        (Fate::Credit(user), Some(asset), Some(amount)) => Some(DepositCredit {
            on_chain: on_chain(transfer)?,
            user,
            asset,
            amount,
            actor: None,
            at: now,
        }),
        _ => None,
    };
    if let (Some(deposit), Some(credit)) = (deposit, &credit) {
        receive_in_tx(conn, deposit, credit.amount, transfer.block_time, now).await?;
    }
    let owner = arrival.to.and_then(|to| to.user);
    let decision = Decision {
        id: transfer.id,
        from: TransferState::Seen,
        to: match verdict.fate {
            Fate::Credit(_) => TransferState::Credited,
            Fate::Hold => TransferState::Held,
            Fate::Ignore => TransferState::Ignored,
        },
        kind: verdict.kind,
        deposit_id: verdict.deposit,
        user_id: credit.as_ref().map(|credit| credit.user).or(owner).map(|user| user.0),
        asset: arrival.asset.map(Asset::code),
        credited: credit.as_ref().map(|credit| credit.amount.minor()),
        by: WORKER,
        reason: None,
    };
    let moved = IncomingTransfer::decide(conn, &decision, now).await?;
    guarded(moved, "incoming transfer", transfer.id)?;
    Ok(credit)
}

/// A transfer by the name that the ledger knows it by.
pub(crate) fn on_chain(transfer: &IncomingTransfer) -> Result<OnChain, DomainError> {
    let network = transfer.network.parse();
    Ok(OnChain {
        network: network.map_err(|_| DomainError::Broken(format!("{:?} is no network", transfer.network)))?,
        txid: transfer.txid.clone(),
        log_index: transfer.log_index,
    })
}

/// Adds what came to a deposit whose row the caller holds.
pub(crate) async fn receive_in_tx(
    conn: &mut Conn,
    deposit: &Deposit,
    amount: Amount,
    at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    // a sum beyond all money there is: the user gets it all the same, and the deposit stays what it was
    let Some(after) = classify::after(deposit, amount) else {
        return Ok(());
    };
    let paid_at = (after.0 == db::models::DepositState::Paid).then(|| deposit.paid_at.unwrap_or(at));
    let receipt = Receipt {
        id: deposit.id,
        before: (deposit.state, deposit.received),
        after,
        paid_at,
    };
    guarded(Deposit::receive(conn, &receipt, now).await?, "deposit", deposit.id)
}

/// The name of a transfer in findings.
pub(crate) fn subject(transfer: &IncomingTransfer) -> String {
    format!("transfer:{}", transfer.id)
}

async fn hold_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    (transfer, early): (&IncomingTransfer, bool),
    verdict: &Verdict,
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    let detail = json!({
        "case": verdict.kind.word(), "network": transfer.network, "txid": transfer.txid,
        "log_index": transfer.log_index, "amount_minor": transfer.amount, "token": transfer.token, "early": early,
    });
    findings::record_in_tx(conn, ids, FindingKind::DepositHeld, &subject(transfer), detail, now).await
}
