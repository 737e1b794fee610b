//! `POST /api/operations/stakings`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::{Extension, Json};
use db::models::{StakeResource, StakingAction};
use domain::operations::AskedToStake;
use domain::stakings::{StakeRoom, StakeWish};
use kernel::{Amount, WalletId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::list_stakings::StakingView;
use super::{answer, instruction};
use crate::App;
use crate::extract::Idempotent;
use crate::middleware::Caller;
use crate::problem::{Code, Problem};
use crate::routes::trx;

/// What is to be done with a wallet's coin, and why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RequestStaking {
    /// A supplier wallet.
    wallet_id: Uuid,
    /// `stake`, `unstake`, `withdraw` (all that has waited long enough) or `cancel` (stakes again all that still waits).
    #[schema(value_type = String, example = "stake")]
    action: StakingAction,
    /// `energy` or `bandwidth`, for `stake` and `unstake`.
    #[schema(value_type = Option<String>, example = "energy")]
    resource: Option<StakeResource>,
    /// TRX, at least 1, for `stake` and `unstake`.
    #[schema(value_type = Option<String>, example = "1000")]
    amount: Option<Amount>,
    /// In words: 1 to 500 characters, kept for good.
    #[schema(example = "energy is sold out each evening")]
    reason: String,
    /// Only say what there is room for, or what stands against it; nothing is written.
    #[serde(default)]
    dry_run: bool,
}

impl RequestStaking {
    fn wish(&self) -> Result<StakeWish, Problem> {
        let wrong = |at, detail| Err(Problem::field(Code::InvalidBody, at, "invalid_value", detail));
        match (self.action, self.resource, self.amount) {
            (StakingAction::Stake, Some(resource), Some(amount)) => Ok(StakeWish::Stake(resource, amount)),
            (StakingAction::Unstake, Some(resource), Some(amount)) => Ok(StakeWish::Unstake(resource, amount)),
            (StakingAction::Stake | StakingAction::Unstake, None, _) => {
                wrong("#/resource", "is needed for `stake` and `unstake`")
            }
            (StakingAction::Stake | StakingAction::Unstake, _, None) => {
                wrong("#/amount", "is needed for `stake` and `unstake`")
            }
            (StakingAction::Withdraw, None, None) => Ok(StakeWish::Withdraw),
            (StakingAction::Cancel, None, None) => Ok(StakeWish::Cancel),
            (_, Some(_), _) => wrong("#/resource", "is for `stake` and `unstake` alone"),
            (_, None, Some(_)) => wrong("#/amount", "is for `stake` and `unstake` alone"),
        }
    }
}

/// What came of it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AskedView {
    /// Its line in the record; null if it was only tried out.
    action_id: Option<Uuid>,
    /// The staking; null if it was only tried out.
    staking: Option<StakingView>,
    /// What there was room for before; null for `withdraw` and `cancel`, and where it was asked for before.
    room: Option<RoomView>,
}

/// How much there is room for, in TRX.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RoomView {
    /// What the wallet has for it: coin above the reserve, or stake that is neither lent nor promised.
    #[schema(value_type = String)]
    free: Amount,
    /// What is left of the wallet's limit of 24 hours.
    #[schema(value_type = String)]
    wallet_left: Amount,
    /// What is left of the limit of all wallets.
    #[schema(value_type = String)]
    all_left: Amount,
}

impl RoomView {
    fn of(room: StakeRoom) -> Result<Self, Problem> {
        Ok(Self {
            free: trx(room.free_sun)?,
            wallet_left: trx(room.wallet_left_sun)?,
            all_left: trx(room.all_left_sun)?,
        })
    }
}

impl AskedView {
    fn of(asked: AskedToStake) -> Result<Self, Problem> {
        let address = asked.address;
        let view = |staking| StakingView::try_from((staking, address));
        Ok(Self {
            action_id: asked.done.id,
            staking: asked.staking.map(view).transpose()?,
            room: asked.room.map(RoomView::of).transpose()?,
        })
    }
}

/// Stakes coin of a supplier wallet, or undoes that: a worker signs and sends it.
///
/// What is unstaked can be withdrawn after 14 days. At most one staking of an action is open for a wallet.
#[utoipa::path(post, path = "/api/operations/stakings", tag = "operations", request_body = RequestStaking,
    params(("Idempotency-Key" = String, Header, description = "1 to 255 visible ASCII characters, your name for this request")),
    responses((status = 200, description = "Asked for", body = AskedView,
        headers(("Idempotency-Replayed" = String, description = "true, if it was asked for before")))))]
pub(crate) async fn request_staking(
    State(app): State<Arc<App>>,
    Extension(caller): Caller,
    request: Idempotent<RequestStaking>,
) -> Result<(HeaderMap, Json<AskedView>), Problem> {
    let body = &request.body;
    let instruction = instruction(&caller, &request, Some(&body.reason), body.dry_run);
    let what = (WalletId(body.wallet_id), body.wish()?);
    let rules = app.rules();
    let by = (&instruction, &rules.stakes);
    let asked = domain::operations::request_staking(&app.pool, &*app.ids, by, what, app.clock.now()).await?;
    app.wakes.push(asked.done.wakes.iter().cloned());
    let done = asked.done.clone();
    Ok(answer(&done, AskedView::of(asked)?))
}
