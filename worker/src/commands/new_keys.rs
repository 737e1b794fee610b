//! `wallets replace-key`: a key in place of another, from stdin or made here. Nothing of a key is printed.

use std::io::Read;

use anyhow::{Context, ensure};
use domain::operations::replace_key;
use domain::wallets::{KeyOpened, KeyToReplace, NewKey, find};
use kernel::RandomIds;
use settings::Settings;
use tron::{Mnemonic, PrivateKey};
use zeroize::Zeroizing;

use super::by_hand::ByHand;
use super::stake::find as find_wallet;
use super::{print, setup};

/// Longer than any mnemonic.
const MAX_TYPED: u64 = 1_024;

/// Where the new key comes from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Source {
    /// It is made here.
    Fresh,
    /// 64 hex digits, or words and which of their accounts.
    Stdin {
        /// The account.
        index: u32,
    },
}

impl Source {
    fn key(self) -> anyhow::Result<PrivateKey> {
        let Self::Stdin { index } = self else {
            return Ok(PrivateKey::generate()?);
        };
        let mut typed = Zeroizing::new(String::new());
        std::io::stdin()
            .take(MAX_TYPED)
            .read_to_string(&mut typed)
            .context("the key cannot be read")?;
        let typed = typed.trim();
        ensure!(
            !typed.is_empty(),
            "give a private key or a mnemonic on stdin, or --generate"
        );
        if typed.contains(' ') {
            return Ok(Mnemonic::parse(typed)?.private_key("", index)?);
        }
        Ok(PrivateKey::from_hex(typed.strip_prefix("0x").unwrap_or(typed))?)
    }
}

pub(super) async fn replace(
    settings: &Settings,
    (wallet, permission_id): (&str, Option<i32>),
    source: Source,
    by: &ByHand,
) -> anyhow::Result<()> {
    let instruction = by.instruction()?;
    let (pool, clock) = (setup::pool(settings)?, setup::clock());
    let id = find_wallet(&pool, wallet).await?;
    let address = find(&pool, id).await?.address;
    let account = address.as_deref().context("the wallet is not active yet")?.parse()?;
    let keys = setup::keys(settings, &pool, &clock).await?;
    let now = setup::now(&pool).await?;
    let opened = keys.wrap((id, Some(account)), &source.key()?, now)?;
    let key_address = opened.key_address;
    let what = KeyToReplace {
        wallet: id,
        permission_id,
        key: NewKey::Opened(KeyOpened {
            key_address,
            key: opened.key,
        }),
    };
    let (replacement, done) = replace_key(&pool, &RandomIds, &instruction, &what, now).await?;
    setup::push(settings, &done.wakes).await?;
    match replacement {
        None => print(&format!("the key of {account} would be replaced")),
        Some(replacement) if key_address == account => {
            print(&format!(
                "{account} signs with its own key from now on ({})",
                replacement.id
            ));
        }
        Some(replacement) => print(&format!(
            "{account} signs with {key_address} from now on ({}): permission {} has to name it",
            replacement.id, replacement.permission_id
        )),
    }
    Ok(())
}
