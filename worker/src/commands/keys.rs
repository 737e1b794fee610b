//! `keygen` and `rotate-master-key`.

use std::sync::Arc;

use anyhow::Context;
use db::models::{DepositAccountKey, MasterKeyRow, SupplierWallet, WalletKey};
use db::{Pool, acquire, run_tx, trail};
use kernel::Clock;
use keyring::generate_import_keypair;
use serde_json::json;
use settings::Settings;
use zeroize::Zeroizing;

use super::{print, setup};
use crate::error::WorkError;
use crate::keys::{Keys, key_owner, wrapped, wrapped_account};

/// Keys re-wrapped between two looks for more.
const BATCH: i64 = 100;

/// Prints fresh secrets. Nothing is stored: the operator puts them where the configuration finds them.
pub(super) fn keygen() -> anyhow::Result<()> {
    let (private, public) = generate_import_keypair()?;
    let mut master = Zeroizing::new([0_u8; 32]);
    getrandom::fill(&mut *master)?;
    let master = Zeroizing::new(hex::encode(*master));
    let mut operators = Zeroizing::new([0_u8; 32]);
    getrandom::fill(&mut *operators)?;
    let operators = Zeroizing::new(hex::encode(*operators));
    let private = private.expose_hex();
    print(&format!(
        "# API and workers\nSWITCHYARD__VAULT__IMPORT_PUBLIC_KEY={public}\n\
         # the API only: what operators sign in with\nSWITCHYARD__OPERATORS__KEYS=first:{}\n\
         # workers only: keep them secret, and keep a copy of the master key where a fire does not reach it\n\
         SWITCHYARD__VAULT__IMPORT_PRIVATE_KEY={}\nSWITCHYARD__VAULT__MASTER_KEY={}",
        *operators, *private, *master
    ));
    Ok(())
}

/// Wraps every data key anew under the current master key. Workers that hold both keys go on meanwhile; what is done
/// stays done when this stops half-way.
pub(super) async fn rotate(settings: &Settings) -> anyhow::Result<()> {
    let pool = setup::pool(settings)?;
    let clock = setup::clock();
    let keys = setup::keys(settings, &pool, &clock).await?;
    let current = keys.current()?;
    let (mut after, mut done) = (None, 0_usize);
    loop {
        let mut conn = acquire(&pool).await?;
        let rows = WalletKey::wrapped_by_others(&mut conn, current.id(), after, BATCH).await?;
        drop(conn);
        let Some(last) = rows.last() else { break };
        after = Some(last.wallet_id);
        for row in rows {
            let (wallet, from) = (row.wallet_id, row.master_key_id);
            let old = keys
                .master(from)
                .with_context(|| format!("wallet {wallet} is wrapped by master key {from}, which is not configured"))?;
            let moved = run_tx(&pool, "rewrap_key", async |conn| {
                // under its lock: a key that is replaced meanwhile is another, for another owner
                let owner = SupplierWallet::lock(conn, wallet).await?;
                let owner = owner.ok_or_else(|| WorkError::Broken(format!("key of an unknown wallet {wallet}")))?;
                if WalletKey::find(conn, wallet)
                    .await?
                    .is_none_or(|now| now.ciphertext != row.ciphertext)
                {
                    return Ok(false);
                }
                let anew = wrapped(&row)
                    .rewrap(old, current, &key_owner(&owner)?)
                    .map_err(|source| WorkError::Key { wallet, source })?;
                let now = clock.now();
                trail::changed(|| json!({ "supplier_wallet": wallet, "master_key": current.id(), "before": from }));
                Ok::<_, WorkError>(row.rewrap(conn, current.id(), &anew.wrapped_data_key, now).await?)
            })
            .await?;
            done += usize::from(moved);
        }
    }
    done += rotate_accounts(&pool, &keys, &clock).await?;
    let now = clock.now();
    run_tx(&pool, "retire_master_keys", async |conn| {
        for row in MasterKeyRow::list(conn).await? {
            if row.id != current.id() && row.retired_at.is_none() {
                MasterKeyRow::retire(conn, row.id, now).await?;
                trail::changed(|| json!({ "master_key": row.id, "retired": true }));
            }
        }
        Ok::<_, WorkError>(())
    })
    .await?;
    print(&format!(
        "{done} keys wrapped anew under master key {}; the previous one can be removed from the configuration",
        current.id()
    ));
    Ok(())
}

/// The same for the accounts that deposit addresses derive from; they are few.
async fn rotate_accounts(pool: &Pool, keys: &Keys, clock: &Arc<dyn Clock>) -> anyhow::Result<usize> {
    let current = keys.current()?;
    let mut conn = acquire(pool).await?;
    let rows = DepositAccountKey::list(&mut conn).await?;
    drop(conn);
    let mut done = 0;
    for row in rows.into_iter().filter(|row| row.master_key_id != current.id()) {
        let (fingerprint, from) = (row.fingerprint.clone(), row.master_key_id);
        let old = keys.master(from).with_context(|| {
            format!("account {fingerprint} is wrapped by master key {from}, which is not configured")
        })?;
        let anew = wrapped_account(row).rewrap(old, current)?;
        let (arrow, wrapped) = ((from, current.id()), anew.wrapped_data_key.as_slice());
        let now = clock.now();
        let moved = run_tx(pool, "rewrap_account_key", async |conn| {
            trail::changed(|| json!({ "account": fingerprint, "master_key": arrow.1, "before": arrow.0 }));
            Ok::<_, WorkError>(DepositAccountKey::rewrap(conn, &fingerprint, arrow, wrapped, now).await?)
        })
        .await?;
        done += usize::from(moved);
    }
    Ok(done)
}
