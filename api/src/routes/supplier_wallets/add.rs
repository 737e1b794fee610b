//! `POST /api/supplier-wallets/add`: keys come in, are sealed to the workers, and are forgotten.
//!
//! Clear secrets live in `Secret` fields, which are wiped when dropped and never shown; nothing here logs or answers one.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::{Extension, Json};
use chain::TronAddress;
use db::models::{SupplierWallet, WalletPurpose, WalletState};
use domain::orders::Idempotency;
use domain::wallets::{NewWallet, add};
use kernel::WalletId;
use serde::{Deserialize, Serialize};
use settings::Secret;
use utoipa::ToSchema;
use uuid::Uuid;
use vault::{SealedImport, seal};

use super::secrets::{Given, wrong};
use crate::App;
use crate::extract::Idempotent;
use crate::middleware::Caller;
use crate::problem::{Problem, chain};
use crate::routes::replayed;

/// Keys of wallets: either one private key, or a mnemonic and which of its accounts.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AddSupplierWallets {
    /// 64 hex digits.
    #[schema(value_type = Option<String>, write_only)]
    private_key: Option<Secret>,
    /// 12 to 24 BIP-39 words.
    #[schema(value_type = Option<String>, write_only)]
    mnemonic: Option<Secret>,
    /// The mnemonic's passphrase, if it has one.
    #[schema(value_type = Option<String>, write_only)]
    passphrase: Option<Secret>,
    /// The first account of the mnemonic; 0 where not given.
    index: Option<u32>,
    /// How many accounts from there on: 1 to 100; 1 where not given.
    count: Option<u32>,
    /// What operators call it, at most 100 characters.
    label: Option<String>,
    /// 0 (the owner's key; where not given) or 2 to 9 (an active permission limited to what the wallet is for).
    permission_id: Option<i32>,
    /// The account whose energy is lent, where the key is another's: one that the account's permission `permission_id` (2 to 9)
    /// names. Where not given, it is the key's own account. For one key alone.
    #[schema(value_type = Option<String>, example = "TLyqzVGLV1srkB7dToTAEqgDSfPtXRJZYH")]
    address: Option<TronAddress>,
    /// `supply` (where not given), or `treasury`: payouts leave from it, and no energy of it is lent.
    #[schema(value_type = Option<String>, example = "supply")]
    purpose: Option<WalletPurpose>,
}

/// Wallets on their way in. Their addresses are known once a worker has opened the keys.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AddedView {
    items: Vec<AddedWallet>,
}

/// One of them.
#[derive(Debug, Serialize, ToSchema)]
struct AddedWallet {
    id: Uuid,
    /// `importing`.
    #[schema(value_type = String, example = "importing")]
    state: WalletState,
}

/// Takes in wallets by private key or mnemonic. The keys are sealed at once; only a worker can open them.
#[utoipa::path(post, path = "/api/supplier-wallets/add", tag = "supplier wallets", request_body = AddSupplierWallets,
    params(("Idempotency-Key" = String, Header, description = "1 to 255 visible ASCII characters, your name for this request")),
    responses((status = 202, description = "Taken in, now or before", body = AddedView,
        headers(("Idempotency-Replayed" = String, description = "true, if it was done before")))))]
pub(crate) async fn add_supplier_wallets(
    State(app): State<Arc<App>>,
    Extension(caller): Caller,
    request: Idempotent<AddSupplierWallets>,
) -> Result<(StatusCode, HeaderMap, Json<AddedView>), Problem> {
    let mark = Idempotency {
        key: request.key,
        request_sha256: request.request_sha256,
    };
    let body = request.body;
    let mut sealed = Vec::new();
    let given = Given {
        private_key: body.private_key.as_ref(),
        mnemonic: body.mnemonic.as_ref(),
        passphrase: body.passphrase.as_ref(),
        index: body.index,
        count: body.count,
    };
    let secrets = given.secrets()?;
    if body.address.is_some() && secrets.len() > 1 {
        return Err(wrong("#/address", "is for one key alone"));
    }
    for secret in secrets {
        let id = WalletId::new(&*app.ids);
        let import = seal(&app.import_key, id, &secret).map_err(|error| Problem::internal(chain(&error)))?;
        sealed.push((id, import));
    }
    let (label, permission_id) = (body.label.clone(), body.permission_id.unwrap_or(0));
    let (purpose, address) = (body.purpose.unwrap_or(WalletPurpose::Supply), body.address);
    drop(body);
    let new: Vec<NewWallet<'_>> = sealed
        .iter()
        .map(|(id, sealed): &(WalletId, SealedImport)| NewWallet {
            id: *id,
            address,
            label: label.as_deref(),
            permission_id,
            purpose,
            sealed,
        })
        .collect();
    let added = add(&app.pool, (caller.key, &mark), &new, app.clock.now()).await?;
    app.wakes.push(added.wakes);
    let items = added.wallets.iter().map(AddedWallet::of).collect();
    let headers = if added.replayed { replayed() } else { HeaderMap::new() };
    Ok((StatusCode::ACCEPTED, headers, Json(AddedView { items })))
}

impl AddedWallet {
    const fn of(wallet: &SupplierWallet) -> Self {
        Self {
            id: wallet.id,
            state: wallet.state,
        }
    }
}
