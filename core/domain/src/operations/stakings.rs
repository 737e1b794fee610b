//! Stakings by hand: asked for, tried out, and given up while nothing of them can land.

use chrono::{DateTime, Utc};
use db::models::{Action, OperatorAction, Staking, StakingSource, StakingState, SupplierWallet};
use db::{Conn, Pool, run_tx};
use kernel::{IdGen, StakingId, WalletId};
use serde_json::{Value, json};

use super::{Command, Done, Instruction};
use crate::DomainError;
use crate::stakings::{Origin, StakeRoom, StakeRules, StakeWish, checked_room_in_tx, end_in_tx, lock, request_in_tx};

/// What came of asking for a staking.
#[derive(Debug, Clone)]
pub struct AskedToStake {
    /// The staking as it is now; `None` if it was only tried out.
    pub staking: Option<Staking>,
    /// The wallet's address.
    pub address: Option<String>,
    /// What there was room for before it; `None` where the chain decides how much, or it was asked for before.
    pub room: Option<StakeRoom>,
    /// The command.
    pub done: Done,
}

/// Asks for a staking, if our figures and the limits of a day allow it. Tried out (`dry_run`) it says what there is room for, or
/// what stands against it, and writes nothing.
///
/// # Errors
/// [`DomainError::NotFound`] for an unknown wallet; [`DomainError::StakeRefused`] and [`DomainError::WalletNotActive`]; a reason
/// that is missing or cannot be kept; a database failure.
pub async fn request_staking(
    pool: &Pool,
    ids: &dyn IdGen,
    (instruction, rules): (&Instruction, &StakeRules),
    (wallet, wish): (WalletId, StakeWish),
    now: DateTime<Utc>,
) -> Result<AskedToStake, DomainError> {
    let command = Command::new(ids, Action::StakingsRequest, instruction, in_json(wallet, wish), now)?;
    let id = StakingId::new(ids);
    run_tx(pool, "request_staking", async |conn| {
        let wallet = SupplierWallet::find(conn, wallet.0).await?;
        let wallet = wallet.ok_or(DomainError::NotFound("wallet"))?;
        let address = wallet.address.clone();
        if instruction.dry_run {
            let room = checked_room_in_tx(conn, rules, (&wallet, wish), now).await?;
            return Ok(AskedToStake {
                staking: None,
                address,
                room,
                done: Done::counted(1),
            });
        }
        if let Some(done) = command.replay_in_tx(conn).await? {
            return Ok(AskedToStake {
                staking: made_before(conn, &done).await?,
                address,
                room: None,
                done,
            });
        }
        let origin = Origin {
            source: StakingSource::Operator,
            actor: &instruction.actor,
            reason: instruction.reason.as_deref().unwrap_or_default(),
        };
        let (staking, room, wake) = request_in_tx(conn, (id, rules), (&wallet, wish), origin, now).await?;
        let object = json!({
            "kind": "staking", "object_id": id, "wallet": wallet.id, "address": address, "action": staking.action,
            "resource": staking.resource, "amount_sun": staking.amount_sun,
        });
        let done = command
            .done_in_tx(conn, 1, vec![object], wake.into_iter().collect())
            .await?;
        Ok(AskedToStake {
            staking: Some(staking),
            address,
            room,
            done,
        })
    })
    .await
}

fn in_json(wallet: WalletId, wish: StakeWish) -> Value {
    let amount = wish.amount();
    json!({
        "wallet": wallet, "action": wish.action(), "resource": amount.map(|(resource, _)| resource),
        "amount": amount.map(|(_, amount)| amount),
    })
}

/// The staking that a request made when it was carried out before.
async fn made_before(conn: &mut Conn, done: &Done) -> Result<Option<Staking>, DomainError> {
    let broken = || DomainError::Broken("the staking of an operator's request is missing".to_owned());
    let action = OperatorAction::find(conn, done.id.ok_or_else(broken)?).await?;
    let action = action.ok_or_else(broken)?;
    let id = action.objects[0]["object_id"].as_str().and_then(|id| id.parse().ok());
    let staking = Staking::find(conn, id.ok_or_else(broken)?).await?;
    staking.map(Some).ok_or_else(broken)
}

/// Gives a staking up of which nothing is on its way. Of several decisions one has an effect: the row lock decides.
///
/// # Errors
/// [`DomainError::NotFound`]; [`DomainError::StakingStanding`] unless it is only asked for; a reason that is missing or cannot be
/// kept; a database failure.
pub async fn revoke_staking(
    pool: &Pool,
    ids: &dyn IdGen,
    instruction: &Instruction,
    id: StakingId,
    now: DateTime<Utc>,
) -> Result<(Staking, Done), DomainError> {
    let filter = json!({ "object_id": id });
    let command = Command::new(ids, Action::StakingsRevoke, instruction, filter, now)?;
    run_tx(pool, "revoke_staking", async |conn| {
        let staking = lock(conn, id.0).await?;
        let fits = staking.state == StakingState::Requested;
        if instruction.dry_run {
            return Ok((staking, Done::counted(i64::from(fits))));
        }
        if let Some(done) = command.replay_in_tx(conn).await? {
            return Ok((staking, done));
        }
        if !fits {
            return Err(DomainError::StakingStanding(staking.state));
        }
        let arrow = (StakingState::Requested, StakingState::Cancelled);
        let why = ("by_operator", instruction.actor.as_str());
        let detail = json!({ "reason": instruction.reason });
        end_in_tx(conn, &staking, arrow, why, detail, now).await?;
        let object = json!({
            "kind": "staking", "object_id": id, "state": staking.state, "action": staking.action,
            "amount_sun": staking.amount_sun, "reason": staking.reason_code,
        });
        let done = command.done_in_tx(conn, 1, vec![object], Vec::new()).await?;
        let staking = Staking::find(conn, id.0).await?;
        Ok((staking.ok_or(DomainError::NotFound("staking"))?, done))
    })
    .await
}
