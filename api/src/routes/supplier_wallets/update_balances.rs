//! `POST /api/supplier-wallets/update-balances`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::Duration;
use domain::wallets::{request_sync, request_sync_of_all};
use kernel::WalletId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::App;
use crate::extract::OptionalBody;
use crate::problem::{Code, Problem};

const MAX_IDS: usize = 100;

/// Which wallets to read from the chain.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateBalances {
    /// At most 100; every active wallet where not given.
    #[schema(value_type = Option<Vec<String>>)]
    ids: Option<Vec<WalletId>>,
}

/// How many wallets will be read.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UpdatingView {
    wallets: usize,
}

/// Has wallets read from the chain now. Without a body, every active one.
#[utoipa::path(post, path = "/api/supplier-wallets/update-balances", tag = "supplier wallets",
    request_body(content = Option<UpdateBalances>),
    responses((status = 202, description = "Asked for", body = UpdatingView)))]
pub(crate) async fn update_supplier_wallet_balances(
    State(app): State<Arc<App>>,
    OptionalBody(body): OptionalBody<UpdateBalances>,
) -> Result<(StatusCode, Json<UpdatingView>), Problem> {
    let now = app.clock.now();
    let (wallets, wakes) = match body.ids {
        None => request_sync_of_all(&app.pool, Duration::zero(), now).await?,
        Some(ids) if (1..=MAX_IDS).contains(&ids.len()) => (ids.len(), request_sync(&app.pool, &ids, now).await?),
        Some(_) => {
            let detail = format!("must have 1 to {MAX_IDS} ids");
            return Err(Problem::field(Code::InvalidBody, "#/ids", "invalid_value", detail));
        }
    };
    app.wakes.push(wakes);
    Ok((StatusCode::ACCEPTED, Json(UpdatingView { wallets })))
}
