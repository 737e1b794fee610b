//! Four eyes on much money: what one operator wants done with a transfer above the limit waits until another wants the
//! same, within a time. Letting a transfer be needs nobody else; wanting something else replaces what was proposed.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, Utc};
use db::models::{IncomingTransfer, ProposalState, TransferProposal};
use db::{Conn, Pool, acquire};
use kernel::{Amount, Asset, IdGen};
use uuid::Uuid;

use super::{Instruction, Ruling};
use crate::DomainError;
use crate::api_keys::may_be_one_in_tx;
use crate::deposits::amount_of;
use crate::orders::guarded;
use crate::rates::RatePolicy;

/// How rulings are carried out.
#[derive(Debug, Clone)]
pub struct RulingPolicy {
    /// Above what a second operator has to agree, by asset.
    approval_above: BTreeMap<Asset, Amount>,
    /// How long what one wants waits for another.
    lives: Duration,
    /// How USDT is exchanged as it is credited; `None` where it is kept.
    pub(super) exchange: Option<RatePolicy>,
}

impl RulingPolicy {
    /// With a limit for each asset, above which a second operator has to agree, and for how long he may.
    #[must_use]
    pub fn new((trx, usdt): (Amount, Amount), lives: Duration, exchange: Option<RatePolicy>) -> Self {
        Self {
            approval_above: BTreeMap::from([(Asset::Trx, trx), (Asset::Usdt, usdt)]),
            lives,
            exchange,
        }
    }

    /// Whether this ruling about this transfer needs a second operator. What cannot be told needs one.
    fn need_another(&self, found: &IncomingTransfer, ruling: Ruling) -> bool {
        if ruling == Ruling::Ignore {
            return false;
        }
        let asset: Option<Asset> = found.asset.as_deref().and_then(|asset| asset.parse().ok());
        let limit = asset.and_then(|asset| self.approval_above.get(&asset).copied());
        limit.zip(amount_of(found)).is_none_or(|(limit, amount)| amount > limit)
    }
}

/// Proposals about transfers that another may still agree to.
///
/// # Errors
/// When the database cannot be asked.
pub async fn open_proposals(
    pool: &Pool,
    policy: &RulingPolicy,
    transfers: &[Uuid],
    now: DateTime<Utc>,
) -> Result<Vec<TransferProposal>, DomainError> {
    let mut conn = acquire(pool).await?;
    let mut open = TransferProposal::open_of(&mut conn, transfers).await?;
    open.retain(|proposal| proposal.proposed_at + policy.lives > now);
    Ok(open)
}

/// The proposal that an instruction comes to, kept; `None` if it may be carried out: nobody else is needed, or has agreed
/// by now. The caller holds the transfer's row.
pub(super) async fn propose_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    (instruction, policy): (&Instruction, &RulingPolicy),
    (found, ruling): (&IncomingTransfer, Ruling),
    now: DateTime<Utc>,
) -> Result<Option<TransferProposal>, DomainError> {
    let wanted = of(ids, instruction, (found, ruling), now)?;
    let open = TransferProposal::open_of(conn, &[found.id]).await?.into_iter().next();
    let needed = policy.need_another(found, ruling);
    if let Some(open) = open {
        let same = (&open.ruling, open.user_id, open.deposit_id) == (&wanted.ruling, wanted.user_id, wanted.deposit_id);
        let over = open.proposed_at + policy.lives <= now;
        let end = if !same || !needed || over {
            (ProposalState::Replaced, None)
        } else if may_be_one_in_tx(conn, &open.proposed_by, &instruction.actor).await? {
            return Err(DomainError::OwnProposal);
        } else {
            (ProposalState::Agreed, Some(instruction.actor.as_str()))
        };
        guarded(
            TransferProposal::end(conn, open.id, end, now).await?,
            "proposal",
            open.id,
        )?;
        if end.0 == ProposalState::Agreed {
            return Ok(None);
        }
    }
    if !needed {
        return Ok(None);
    }
    wanted.insert(conn).await?;
    Ok(Some(wanted))
}

fn of(
    ids: &dyn IdGen,
    instruction: &Instruction,
    (found, ruling): (&IncomingTransfer, Ruling),
    now: DateTime<Utc>,
) -> Result<TransferProposal, DomainError> {
    let (user_id, deposit_id) = match ruling {
        // who owns the address is meant where nobody is named
        Ruling::Credit(user) => (user.map(|user| user.0).or(found.user_id), None),
        Ruling::Attach(deposit) => (None, Some(deposit)),
        Ruling::Ignore | Ruling::Refunded | Ruling::Reverse => (None, None),
    };
    Ok(TransferProposal {
        id: ids.uuid(),
        transfer_id: found.id,
        ruling: ruling.word().to_owned(),
        user_id,
        deposit_id,
        proposed_by: instruction.actor.clone(),
        reason: instruction.reason.clone().ok_or(DomainError::BadReason)?,
        proposed_at: now,
        state: ProposalState::Open,
        agreed_by: None,
        ended_at: None,
    })
}
