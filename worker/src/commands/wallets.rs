//! `wallets`: makes wallets whose keys never leave the worker, and lists all.

use db::models::{SupplierWallet, WalletPurpose};
use domain::wallets::{Adopted, adopt, page};
use kernel::{IdGen, RandomIds, WalletId};
use settings::Settings;

use super::{print, setup};

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
    },
    /// List wallets
    List,
}

pub(super) async fn run(settings: &Settings, command: Command) -> anyhow::Result<()> {
    let pool = setup::pool(settings)?;
    let clock = setup::clock();
    match command {
        Command::Generate { count, label, purpose } => {
            let keys = setup::keys(settings, &pool, &clock).await?;
            let now = clock.now();
            let mut wallets = Vec::with_capacity(count);
            for key in keyring::generate_batch(count)? {
                let id = WalletId(RandomIds.uuid());
                let (address, key) = keys.wrap(id, &key, now)?;
                wallets.push(Adopted {
                    id,
                    address: address.to_string(),
                    label: label.clone(),
                    purpose,
                    key,
                });
            }
            adopt(&pool, &wallets, now).await?;
            for wallet in wallets {
                print(&format!("{}  {}", wallet.id, wallet.address));
            }
        }
        Command::List => {
            let mut after = None;
            loop {
                let wallets = page(&pool, after, 100).await?;
                let Some(last) = wallets.last() else { break };
                after = Some(WalletId(last.id));
                wallets.iter().for_each(show);
            }
        }
    }
    Ok(())
}

fn show(wallet: &SupplierWallet) {
    let state = match (&wallet.isolated_reason, wallet.enabled) {
        (Some(reason), _) => format!("isolated: {reason}"),
        (None, false) => "disabled".to_owned(),
        (None, true) => wallet.state.to_string(),
    };
    let address = wallet.address.as_deref().unwrap_or("-");
    let has = match wallet.purpose {
        WalletPurpose::Supply => format!("room {} sun", wallet.delegatable_sun - wallet.reserved_sun),
        WalletPurpose::Treasury => format!("{} micro-USDT", wallet.usdt_micro),
        WalletPurpose::Deposit => "a deposit address".to_owned(),
    };
    print(&format!(
        "{}  {address:34}  {}  {has}  balance {} sun  {state}",
        wallet.id, wallet.purpose, wallet.balance_sun
    ));
}
