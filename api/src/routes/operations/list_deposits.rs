//! `GET /api/operations/deposits`.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use db::models::{IncomingTransfer, TransferFilter, TransferProposal, TransferState};
use domain::operations::{open_proposals, transfers_page};
use kernel::Asset;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::App;
use crate::extract::QueryParams;
use crate::problem::Problem;
use crate::routes::cut;
use crate::routes::deposits::TransferView;

/// A page of transfers.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TransferPage {
    items: Vec<RuledView>,
    /// The `cursor` of the next page; null on the last one.
    next_cursor: Option<Uuid>,
}

/// A transfer, and what is proposed to be done with it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RuledView {
    #[serde(flatten)]
    transfer: TransferView,
    /// What waits for another operator; null: nothing.
    proposal: Option<ProposalView>,
}

/// What one operator wants done with a transfer.
#[derive(Debug, Serialize, ToSchema)]
struct ProposalView {
    /// `credit`, `attach`, `refunded` or `reverse`.
    #[schema(example = "credit")]
    ruling: String,
    user_id: Option<i64>,
    deposit_id: Option<Uuid>,
    #[schema(example = "operator:anna")]
    proposed_by: String,
    reason: String,
    proposed_at: DateTime<Utc>,
}

impl RuledView {
    pub(super) fn of(transfer: IncomingTransfer, proposal: Option<TransferProposal>) -> Result<Self, Problem> {
        let proposal = proposal.map(|proposal| ProposalView {
            ruling: proposal.ruling,
            user_id: proposal.user_id,
            deposit_id: proposal.deposit_id,
            proposed_by: proposal.proposed_by,
            reason: proposal.reason,
            proposed_at: proposal.proposed_at,
        });
        Ok(Self {
            transfer: transfer.try_into()?,
            proposal,
        })
    }
}

/// Lists transfers on chain that concern us, newest first where not asked otherwise.
#[utoipa::path(get, path = "/api/operations/deposits", tag = "operations",
    params(
        ("state" = Option<String>, Query, description = "Only `seen`, `reverted`, `credited`, `held`, `ignored`, `refunded` or `reversed`, or several with commas between"),
        ("case" = Option<String>, Query, description = "Only this case, such as `unmatched`"),
        ("user_id" = Option<i64>, Query, description = "Only this user's"),
        ("txid" = Option<String>, Query, description = "Only of this transaction"),
        ("asset" = Option<String>, Query, description = "Only credited in this asset"),
        ("address" = Option<String>, Query, description = "Only to this address"),
        ("since" = Option<chrono::DateTime<chrono::Utc>>, Query, description = "Only of blocks of then or later"),
        ("until" = Option<chrono::DateTime<chrono::Utc>>, Query, description = "Only of blocks before"),
        ("min_amount" = Option<String>, Query, description = "Only where so much or more was credited"),
        ("max_amount" = Option<String>, Query, description = "Only where so much or less was credited"),
        ("order" = Option<String>, Query, description = "`newest` (where not given) or `oldest` first"),
        ("limit" = Option<u32>, Query, description = "Rows per page; 50 where not given"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before")),
    responses((status = 200, description = "A page", body = TransferPage)))]
pub(crate) async fn list_deposits(
    State(app): State<Arc<App>>,
    mut query: QueryParams,
) -> Result<Json<TransferPage>, Problem> {
    let filter = filter(&mut query)?;
    let place: Option<Uuid> = query.take("cursor")?;
    let limit = query.take_limit(&app)?;
    query.finish()?;
    let mut rows = transfers_page(&app.pool, &filter, place, i64::from(limit) + 1).await?;
    let next_cursor = cut(&mut rows, limit, |row| row.id);
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let proposals = open_proposals(&app.pool, &app.rules().rulings, &ids, app.clock.now())
        .await?
        .into_iter();
    let mut proposals: HashMap<Uuid, TransferProposal> = proposals.map(|one| (one.transfer_id, one)).collect();
    let items = rows.into_iter().map(|row| {
        let proposal = proposals.remove(&row.id);
        RuledView::of(row, proposal)
    });
    Ok(Json(TransferPage {
        items: items.collect::<Result<_, _>>()?,
        next_cursor,
    }))
}

/// Takes the filters of a list of transfers out of the query.
pub(crate) fn filter(query: &mut QueryParams) -> Result<TransferFilter, Problem> {
    let asset: Option<Asset> = query.take("asset")?;
    Ok(TransferFilter {
        states: query.take_words("state", TransferState::ALL, TransferState::word)?,
        kind: query.take("case")?,
        user: query.take("user_id")?,
        txid: query.take("txid")?,
        asset: asset.map(Asset::code),
        address: query.take("address")?,
        at: query.take_period()?,
        credited: query.take_amounts("min_amount", "max_amount")?,
        oldest_first: query.take_oldest_first()?,
    })
}
