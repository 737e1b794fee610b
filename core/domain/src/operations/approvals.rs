//! Four eyes: corrections of much money, keys of wallets, price tables and settings are asked for by one and carried out once another
//! agrees, in the transaction of that. What nobody decides in time ends by itself; what cannot be carried out stays open.

mod wanted;

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, Utc};
use db::models::{Action, Approval, ApprovalEnd, ApprovalFilter, ApprovalKind, ApprovalState, NewApproval};
use db::{Conn, Pool, acquire, run_tx, trail};
use jobs::Wake;
use kernel::{Amount, Asset, IdGen, WalletId};
use serde_json::{Value, json};
use uuid::Uuid;
use vault::SealedImport;

pub use self::wanted::{Wanted, WantedAdjustment};
use super::{Command, Done, Instruction, is_reason};
use crate::DomainError;
use crate::api_keys::may_be_one_in_tx;
use crate::orders::guarded;
use crate::runtime_settings::{self, Edit, Judge, Wish};
use crate::wallets::{checked_wallet_in_tx, request_in_tx};
use crate::{pricing, users};

/// What its idempotency row points to.
const RESOURCE: &str = "approval";

/// What needs a second person.
#[derive(Debug, Clone)]
pub struct ApprovalPolicy {
    /// Corrections of a balance above this, by asset.
    adjustment_above: BTreeMap<Asset, Amount>,
    /// Whether keys of wallets do.
    pub key_replacements: bool,
    /// Whether price tables do.
    pub prices: bool,
    /// Whether settings do.
    pub settings: bool,
    /// How long what was asked for waits.
    lives: Duration,
    /// How many of one who asks wait at a time.
    open_max: i64,
}

impl ApprovalPolicy {
    /// With a limit for each asset; whether keys, prices and settings do; how long what was asked for waits, and how many of one who asks.
    #[must_use]
    pub fn new(
        (trx, usdt): (Amount, Amount),
        [key_replacements, prices, settings]: [bool; 3],
        (lives, open_max): (Duration, i64),
    ) -> Self {
        Self {
            adjustment_above: BTreeMap::from([(Asset::Trx, trx), (Asset::Usdt, usdt)]),
            key_replacements,
            prices,
            settings,
            lives,
            open_max,
        }
    }

    /// Whether a correction does. What has no limit does.
    #[must_use]
    pub fn adjustment(&self, asset: Asset, amount: Amount) -> bool {
        self.adjustment_above.get(&asset).is_none_or(|limit| amount > *limit)
    }
}

/// Keeps what is wanted until another decides. Answers it, and whether the same request asked for it before.
///
/// # Errors
/// [`DomainError::BadReason`]; [`DomainError::ApprovalOpen`] where another of its kind waits; [`DomainError::ApprovalLimit`] where too
/// much does of the same asker; what stands against it at once; a database failure.
pub async fn ask(
    pool: &Pool,
    ids: &dyn IdGen,
    (instruction, policy): (&Instruction, &ApprovalPolicy),
    (wanted, sealed): (&Wanted, Option<&SealedImport>),
    judge: &Judge<'_>,
    now: DateTime<Utc>,
) -> Result<(Approval, bool), DomainError> {
    let reason = instruction.reason.as_deref().filter(|reason| is_reason(reason));
    let reason = reason.ok_or(DomainError::BadReason)?;
    let (id, subject) = (ids.uuid(), wanted.subject());
    let request = serde_json::to_value(wanted).map_err(|error| DomainError::Broken(error.to_string()))?;
    let lost = || DomainError::Broken(format!("approval {id} is missing"));
    run_tx(pool, "ask_for_approval", async |conn| {
        if let Some(mark) = &instruction.mark
            && let Some(earlier) = mark.replay_in_tx(conn, RESOURCE, id, now).await?
        {
            return Ok((Approval::find(conn, earlier).await?.ok_or_else(lost)?, true));
        }
        end_over_in_tx(conn, (wanted.kind(), subject.as_str()), now).await?;
        wanted.check_in_tx(conn, judge).await?;
        check_room_in_tx(conn, &instruction.actor, policy.open_max, now).await?;
        let new = NewApproval {
            id,
            kind: wanted.kind(),
            subject: &subject,
            request: &request,
            sealed: sealed.map(SealedImport::as_bytes),
            requested_by: &instruction.actor,
            requested_name: &instruction.name,
            reason,
            requested_at: now,
            expires_at: now + policy.lives,
            state: ApprovalState::Open,
        };
        if !new.insert_if_none_open(conn).await? {
            return Err(DomainError::ApprovalOpen);
        }
        trail::changed(
            || json!({ "approval": id, "kind": new.kind, "subject": subject, "request": request, "reason": reason }),
        );
        Ok((Approval::find(conn, id).await?.ok_or_else(lost)?, false))
    })
    .await
}

/// What nobody decided in time, of the same, stands in the way of nothing: it ends now, and what was sealed with it is gone. Decisions
/// lock an approval first, too, and what it is about after that.
async fn end_over_in_tx(
    conn: &mut Conn,
    (kind, subject): (ApprovalKind, &str),
    now: DateTime<Utc>,
) -> Result<(), DomainError> {
    for id in Approval::expire_of(conn, (kind, subject), now).await? {
        trail::changed(|| json!({ "approval": id, "kind": kind, "subject": subject, "state": ApprovalState::Expired }));
    }
    Ok(())
}

/// One more of his may wait. Whoever asks in his name meanwhile waits for the end of this transaction, and counts what it left.
async fn check_room_in_tx(conn: &mut Conn, asker: &str, max: i64, now: DateTime<Utc>) -> Result<(), DomainError> {
    Approval::lock_asker(conn, asker).await?;
    if Approval::waiting_of(conn, asker, now).await? >= max {
        return Err(DomainError::ApprovalLimit { max });
    }
    Ok(())
}

/// What is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is carried out now.
    Approve,
    /// It is not.
    Reject,
}

/// Decides on what somebody asked for. Of several decisions one has an effect: the row lock decides. Whoever asked may reject it, as
/// taking it back, and not agree to it; nor may who knows the key that asked, or is a key that he knows who asked.
///
/// # Errors
/// [`DomainError::NotFound`], [`DomainError::OwnProposal`], [`DomainError::OwnKey`], [`DomainError::ApprovalDecided`], a reason that is missing, and whatever
/// stands against carrying it out: it stays open then.
pub async fn decide_approval(
    pool: &Pool,
    ids: &dyn IdGen,
    instruction: &Instruction,
    (id, verdict): (Uuid, Verdict),
    judge: &Judge<'_>,
    now: DateTime<Utc>,
) -> Result<(Approval, Done), DomainError> {
    let (action, state) = match verdict {
        Verdict::Approve => (Action::ApprovalsApprove, ApprovalState::Approved),
        Verdict::Reject => (Action::ApprovalsReject, ApprovalState::Rejected),
    };
    let command = Command::new(ids, action, instruction, json!({ "object_id": id }), now)?;
    run_tx(pool, "decide_approval", async |conn| {
        let asked = Approval::lock(conn, id)
            .await?
            .ok_or(DomainError::NotFound("approval"))?;
        if let Some(done) = command.replay_in_tx(conn).await? {
            return Ok((asked, done));
        }
        if asked.state != ApprovalState::Open {
            return Err(DomainError::ApprovalDecided(asked.state));
        }
        if asked.expires_at <= now {
            return Err(DomainError::ApprovalDecided(ApprovalState::Expired));
        }
        let (result, wakes) = match verdict {
            Verdict::Approve => {
                check_another_in_tx(conn, &asked.requested_by, &instruction.actor).await?;
                carry_out_in_tx(conn, (ids, judge), &asked, now).await?
            }
            Verdict::Reject => (None, Vec::new()),
        };
        let end = ApprovalEnd {
            state,
            by: &instruction.actor,
            name: &instruction.name,
            reason: instruction.reason.as_deref().unwrap_or_default(),
            result: result.as_ref(),
            at: now,
        };
        guarded(Approval::end(conn, id, &end).await?, "approval", id)?;
        let object = json!({
            "object_id": id, "kind": asked.kind, "subject": asked.subject, "requested_by": asked.requested_by,
            "request": asked.request, "result": result,
        });
        let done = command.done_in_tx(conn, 1, vec![object], wakes).await?;
        let ended = Approval::find(conn, id).await?;
        Ok((ended.ok_or(DomainError::NotFound("approval"))?, done))
    })
    .await
}

/// Two people, as far as is known. The caller holds the row; who knows which key is read now, so that a rotation between the two
/// requests counts.
async fn check_another_in_tx(conn: &mut Conn, asker: &str, decider: &str) -> Result<(), DomainError> {
    if asker == decider {
        return Err(DomainError::OwnProposal);
    }
    if may_be_one_in_tx(conn, asker, decider).await? {
        return Err(DomainError::OwnKey);
    }
    Ok(())
}

/// Does what was asked for, in the name of who asked. Answers what it made.
async fn carry_out_in_tx(
    conn: &mut Conn,
    (ids, judge): (&dyn IdGen, &Judge<'_>),
    asked: &Approval,
    now: DateTime<Utc>,
) -> Result<(Option<Value>, Vec<Wake>), DomainError> {
    let broken = |what: String| DomainError::Broken(format!("approval {}: {what}", asked.id));
    let wanted = serde_json::from_value(asked.request.clone()).map_err(|error| broken(error.to_string()))?;
    let made = match wanted {
        Wanted::Adjust(adjust) => {
            let adjusted = users::adjust_in_tx(conn, &adjust.adjustment(&asked.requested_by, now)).await?;
            (
                json!({ "balance": adjusted.balance, "asset": adjust.asset, "again": adjusted.replayed }),
                Vec::new(),
            )
        }
        Wanted::ReplaceKey { wallet, permission_id } => {
            let sealed = Approval::sealed(conn, asked.id).await?;
            let sealed = sealed.ok_or_else(|| broken("its key is gone".to_owned()))?;
            let sealed = SealedImport::from_bytes(&sealed).map_err(|error| broken(error.to_string()))?;
            let (wallet, permission_id) = checked_wallet_in_tx(conn, WalletId(wallet), permission_id).await?;
            let (id, by) = (ids.uuid(), (asked.requested_by.as_str(), asked.reason.as_str()));
            let wake = request_in_tx(conn, (id, &wallet, permission_id), &sealed, by, now).await?;
            (json!({ "replacement": id }), wake.into_iter().collect())
        }
        Wanted::Publish { bands } => {
            let said = (asked.reason.as_str(), asked.requested_by.as_str());
            let version = pricing::publish_in_tx(conn, ids, &bands, said, now).await?;
            (json!({ "version": version }), Vec::new())
        }
        Wanted::ChangeSettings { base_version, changes } => {
            let wish = (base_version, Wish::Change(&changes));
            (
                change_settings_in_tx(conn, (ids, judge), (asked, wish), now).await?,
                Vec::new(),
            )
        }
        Wanted::RestoreSettings { base_version, restore } => {
            let wish = (base_version, Wish::Restore(restore));
            (
                change_settings_in_tx(conn, (ids, judge), (asked, wish), now).await?,
                Vec::new(),
            )
        }
    };
    Ok((Some(made.0), made.1))
}

async fn change_settings_in_tx(
    conn: &mut Conn,
    (ids, judge): (&dyn IdGen, &Judge<'_>),
    (asked, (base_version, wish)): (&Approval, (i64, Wish<'_>)),
    now: DateTime<Utc>,
) -> Result<Value, DomainError> {
    let edit = Edit {
        author: &asked.requested_by,
        author_name: &asked.requested_name,
        reason: &asked.reason,
        base_version: Some(base_version),
        mark: None,
    };
    let changed = runtime_settings::change_in_tx(conn, judge, (&edit, wish), (ids.uuid(), now)).await?;
    Ok(json!({ "version": changed.version.version }))
}

/// One of what was asked for.
///
/// # Errors
/// [`DomainError::NotFound`].
pub async fn approval(pool: &Pool, id: Uuid) -> Result<Approval, DomainError> {
    let mut conn = acquire(pool).await?;
    let found = Approval::find(&mut conn, id).await?;
    found.ok_or(DomainError::NotFound("approval"))
}

/// What was asked for, newest first, before `before`.
///
/// # Errors
/// When the database cannot be asked.
pub async fn approvals_page(
    pool: &Pool,
    filter: ApprovalFilter,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Approval>, DomainError> {
    let mut conn = acquire(pool).await?;
    Ok(Approval::page(&mut conn, filter, before, limit).await?)
}
