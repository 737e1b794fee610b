//! `POST /api/supplier-wallets/add`: keys come in, are sealed to the workers, and are forgotten.
//!
//! Clear secrets live in `Secret` fields, which are wiped when dropped and never shown; nothing here logs or answers one.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use db::models::{SupplierWallet, WalletPurpose, WalletState};
use domain::wallets::{NewWallet, add};
use kernel::WalletId;
use serde::{Deserialize, Serialize};
use settings::Secret;
use utoipa::ToSchema;
use uuid::Uuid;
use vault::{ImportSecret, SealedImport, SecretError, seal};

use crate::App;
use crate::extract::JsonBody;
use crate::problem::{Code, Problem, chain};

const MAX_COUNT: u32 = 100;

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
    responses((status = 202, description = "Taken in", body = AddedView)))]
pub(crate) async fn add_supplier_wallets(
    State(app): State<Arc<App>>,
    JsonBody(body): JsonBody<AddSupplierWallets>,
) -> Result<(StatusCode, Json<AddedView>), Problem> {
    let mut sealed = Vec::new();
    for secret in secrets(&body)? {
        let id = WalletId::new(&*app.ids);
        let import = seal(&app.import_key, id, &secret).map_err(|error| Problem::internal(chain(&error)))?;
        sealed.push((id, import));
    }
    let (label, permission_id) = (body.label.clone(), body.permission_id.unwrap_or(0));
    let purpose = body.purpose.unwrap_or(WalletPurpose::Supply);
    drop(body);
    let new: Vec<NewWallet<'_>> = sealed
        .iter()
        .map(|(id, sealed): &(WalletId, SealedImport)| NewWallet {
            id: *id,
            label: label.as_deref(),
            permission_id,
            purpose,
            sealed,
        })
        .collect();
    let (wallets, wakes) = add(&app.pool, &new, app.clock.now()).await?;
    app.wakes.push(wakes);
    let items = wallets.iter().map(AddedWallet::of).collect();
    Ok((StatusCode::ACCEPTED, Json(AddedView { items })))
}

impl AddedWallet {
    const fn of(wallet: &SupplierWallet) -> Self {
        Self {
            id: wallet.id,
            state: wallet.state,
        }
    }
}

/// One secret per wallet.
fn secrets(body: &AddSupplierWallets) -> Result<Vec<ImportSecret>, Problem> {
    let wrong = |pointer, detail: &str| Problem::field(Code::InvalidBody, pointer, "invalid_value", detail);
    match (&body.private_key, &body.mnemonic) {
        (Some(key), None) => {
            if body.index.is_some() || body.count.is_some() || body.passphrase.is_some() {
                return Err(wrong("#", "index, count and passphrase belong to a mnemonic"));
            }
            Ok(vec![ImportSecret::from_private_key_hex(key.expose()).map_err(refused)?])
        }
        (None, Some(words)) => {
            let (first, count) = (body.index.unwrap_or(0), body.count.unwrap_or(1));
            if !(1..=MAX_COUNT).contains(&count) {
                return Err(wrong("#/count", "must be between 1 and 100"));
            }
            let passphrase = body.passphrase.as_ref().map(Secret::expose);
            (0..count)
                .map(|n| ImportSecret::from_mnemonic(words.expose(), passphrase, first.saturating_add(n)))
                .collect::<Result<_, _>>()
                .map_err(refused)
        }
        _ => Err(wrong("#", "give either private_key or mnemonic")),
    }
}

fn refused(error: SecretError) -> Problem {
    let pointer = match error {
        SecretError::PrivateKey => "#/private_key",
        SecretError::WordCount | SecretError::PhraseLength => "#/mnemonic",
        SecretError::PassphraseLength => "#/passphrase",
        SecretError::Index => "#/index",
        SecretError::Encoding => "#",
    };
    Problem::field(Code::InvalidBody, pointer, "invalid_value", error.to_string())
}
