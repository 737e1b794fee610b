//! `deposit-key`: the account that addresses of customers are derived from, made or taken in, and at rest with the workers.

use std::io::Read;

use anyhow::{Context, ensure};
use db::models::DepositAccountKey;
use db::{acquire, run_tx, trail};
use domain::DomainError;
use serde_json::json;
use settings::Settings;
use tron::{AccountPrivateKey, Mnemonic, WordCount};
use zeroize::Zeroizing;

use super::{print, setup};

/// What to do with accounts of deposit addresses.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Make an account: its words are shown this once, to be written on paper
    Generate,
    /// Take an account in by its words, read from stdin
    Import,
    /// List the accounts whose keys are here
    List,
}

pub(super) async fn run(settings: &Settings, command: Command) -> anyhow::Result<()> {
    match command {
        Command::Generate => {
            let words = Mnemonic::generate(WordCount::TwentyFour)?;
            let kept = keep(settings, &words).await?;
            print(&format!(
                "Write these words down, on paper, and keep them where a fire does not reach them. They are not shown again:\n\n\
                 {}\n\n{kept}",
                words.expose_phrase()
            ));
        }
        Command::Import => {
            let mut typed = Zeroizing::new(String::new());
            std::io::stdin()
                .read_to_string(&mut typed)
                .context("the words cannot be read")?;
            let words = Mnemonic::parse(typed.trim())?;
            print(&keep(settings, &words).await?);
        }
        Command::List => {
            let pool = setup::pool(settings)?;
            let mut conn = acquire(&pool).await?;
            for key in DepositAccountKey::list(&mut conn).await? {
                print(&format!(
                    "{}  under master key {}  since {}",
                    key.fingerprint, key.master_key_id, key.created_at
                ));
            }
        }
    }
    Ok(())
}

/// Keeps the account's key, and answers what to do with its public half. Nothing is printed before it is stored.
async fn keep(settings: &Settings, words: &Mnemonic) -> anyhow::Result<String> {
    let pool = setup::pool(settings)?;
    let clock = setup::clock();
    let keys = setup::keys(settings, &pool, &clock).await?;
    let account = AccountPrivateKey::from_mnemonic(words, "")?;
    let row = keys.wrap_account(&account, clock.now())?;
    let fingerprint = row.fingerprint.clone();
    let new = run_tx(&pool, "keep_account_key", async |conn| {
        trail::changed(|| json!({ "account": fingerprint, "kept": true }));
        Ok::<_, DomainError>(row.insert_if_missing(conn).await?)
    })
    .await?;
    let mut conn = acquire(&pool).await?;
    let stored = DepositAccountKey::find(&mut conn, &fingerprint).await?;
    ensure!(stored.is_some(), "account {fingerprint} was not kept");
    let xpub = account.xpub();
    let mut told = format!(
        "account {fingerprint} {}\ndeposits.account_xpub = \"{xpub}\"",
        if new { "is kept" } else { "was kept before" }
    );
    let configured = &settings.deposits.account_xpub;
    if !configured.is_empty() && *configured != xpub {
        told.push_str("\nnote: deposits.account_xpub is another account's; addresses that it gave out stay that one's");
    }
    Ok(told)
}
