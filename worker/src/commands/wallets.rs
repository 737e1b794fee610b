//! `wallets`: makes wallets whose keys never leave the worker, lists all, reads what their keys can do, and replaces keys.

use anyhow::ensure;
use chain::TronAddress;
use db::models::{WalletFilter, WalletPurpose};
use domain::wallets::{Adopted, Shown, Standing, adopt, page, shown};
use kernel::{IdGen, RandomIds, WalletId};
use settings::Settings;

use super::by_hand::ByHand;
use super::{key_powers, new_keys, print, report, setup};

/// What to do with supplier wallets.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Make fresh wallets and print their addresses; fund and stake them, and orders or payouts are given to them
    Generate {
        /// How many, at most 100
        #[arg(long, default_value_t = 1)]
        count: usize,
        /// What they are called
        #[arg(long)]
        label: Option<String>,
        /// `supply`, or `treasury`: payouts leave from it, and no energy of it is lent
        #[arg(long, default_value_t = WalletPurpose::Supply)]
        purpose: WalletPurpose,
        /// The account that is signed for, where the fresh key is to be named by an active permission of it: the key's
        /// address is printed, to be put there
        #[arg(long, requires = "permission_id")]
        address: Option<TronAddress>,
        /// That permission: 2 to 9
        #[arg(long, default_value_t = 0)]
        permission_id: i32,
    },
    /// List wallets, each with where it stands
    List,
    /// Read from the chain now what the wallets' keys can do, keep it, and print it with warnings
    CheckPermissions {
        /// Only this one, by its id or its address
        #[arg(long)]
        wallet: Option<String>,
        /// Answer in JSON
        #[arg(long)]
        json: bool,
    },
    /// Give a wallet another key: a private key or a mnemonic read from stdin, or a fresh one. It signs from then on, in every
    /// worker
    ReplaceKey {
        /// The wallet's id, or its address
        wallet: String,
        /// What the new key signs by; default: what the old one did
        #[arg(long)]
        permission_id: Option<i32>,
        /// Make a fresh key, which never leaves the workers, and print its address
        #[arg(long)]
        generate: bool,
        /// The account of the mnemonic
        #[arg(long, default_value_t = 0)]
        index: u32,
        #[command(flatten)]
        by: ByHand,
    },
}

pub(super) async fn run(settings: &Settings, command: Command) -> anyhow::Result<()> {
    match command {
        Command::Generate {
            count,
            label,
            purpose,
            address,
            permission_id,
        } => generate(settings, (count, label), purpose, (address, permission_id)).await,
        Command::List => list(settings).await,
        Command::CheckPermissions { wallet, json } => key_powers::check(settings, wallet.as_deref(), json).await,
        Command::ReplaceKey {
            wallet,
            permission_id,
            generate,
            index,
            by,
        } => {
            let key = if generate {
                new_keys::Source::Fresh
            } else {
                new_keys::Source::Stdin { index }
            };
            new_keys::replace(settings, (&wallet, permission_id), key, &by).await
        }
    }
}

async fn generate(
    settings: &Settings,
    (count, label): (usize, Option<String>),
    purpose: WalletPurpose,
    (address, permission_id): (Option<TronAddress>, i32),
) -> anyhow::Result<()> {
    ensure!(address.is_none() || count == 1, "--address is for one key alone");
    let pool = setup::pool(settings)?;
    let clock = setup::clock();
    let keys = setup::keys(settings, &pool, &clock).await?;
    let now = setup::now(&pool).await?;
    let mut wallets = Vec::with_capacity(count);
    for key in keyring::generate_batch(count)? {
        let id = WalletId(RandomIds.uuid());
        wallets.push(Adopted {
            id,
            opened: keys.wrap((id, address), &key, now)?,
            label: label.clone(),
            permission_id,
            purpose,
        });
    }
    adopt(&pool, &wallets, now).await?;
    for wallet in wallets {
        let opened = &wallet.opened;
        let mut line = format!("{}  {}", wallet.id, opened.address);
        if opened.key_address != opened.address {
            line.push_str(&format!(
                "  key {}: name it in permission {permission_id}",
                opened.key_address
            ));
        }
        print(&line);
    }
    Ok(())
}

async fn list(settings: &Settings) -> anyhow::Result<()> {
    let pool = setup::pool(settings)?;
    let mut after = None;
    loop {
        let wallets = page(&pool, &WalletFilter::default(), after, 100).await?;
        let Some(last) = wallets.last() else {
            return Ok(());
        };
        after = Some(WalletId(last.id));
        shown(&pool, wallets).await?.iter().for_each(show);
    }
}

fn show(shown: &Shown) {
    let wallet = &shown.wallet;
    let standing = match shown.standing {
        Standing::Isolated => format!("isolated: {}", report::or_dash(wallet.isolated_reason.as_deref())),
        Standing::Rejected => format!("rejected: {}", report::or_dash(wallet.rejected_reason.as_deref())),
        Standing::Draining => {
            let until = shown.rentals_until.map(report::time);
            format!(
                "draining: {} rentals, until {}",
                shown.rentals,
                report::or_dash(until.as_deref())
            )
        }
        standing => standing.to_string(),
    };
    let address = wallet.address.as_deref().unwrap_or("-");
    let has = match wallet.purpose {
        WalletPurpose::Supply => format!("room {} sun", wallet.delegatable_sun - wallet.reserved_sun),
        WalletPurpose::Treasury => format!("{} micro-USDT", wallet.usdt_micro),
        WalletPurpose::Deposit => "a deposit address".to_owned(),
    };
    print(&format!(
        "{}  {address:34}  {}  {has}  balance {} sun  {standing}",
        wallet.id, wallet.purpose, wallet.balance_sun
    ));
}
