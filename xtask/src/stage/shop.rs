//! Setting a shop up in the ways that an operator has: prices and a key by command, wallets over HTTP. Nothing here
//! reaches into the product.

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Stage;
use super::children::Children;
use crate::interrupt::Interrupt;

/// Publishes a price table: short rentals are cheapest.
pub(crate) fn publish_prices(stage: &Stage, interrupt: &Interrupt, children: &Children, by: &str) -> Result<()> {
    let band = |from: i64, to: i64, price: i64| {
        json!({
            "energy_min": 10_000, "energy_max": 10_000_000, "duration_min_s": from, "duration_max_s": to,
            "price_millisun_per_energy": price,
        })
    };
    let table = json!([
        band(300, 900, 35_000),
        band(901, 3_600, 50_000),
        band(3_601, 86_400, 90_000)
    ]);
    let file = children.home().join("prices.json");
    std::fs::write(&file, table.to_string()).context("cannot write the price table")?;
    let file = file.to_string_lossy();
    let args = ["prices", "publish", &file, "--note", by, "--operator", by];
    stage.worker(interrupt, children, &args).map(drop)
}

/// Makes an API key that may do everything, so often a minute.
pub(crate) fn create_api_key(
    stage: &Stage,
    interrupt: &Interrupt,
    children: &Children,
    (name, per_minute): (&str, u32),
) -> Result<String> {
    let (name, limit) = (format!("--name={name}"), format!("--rate-limit={per_minute}"));
    let args = ["api-key", "create", &name, "--scopes=all", &limit];
    let text = stage.worker(interrupt, children, &args)?;
    printed(&text, "key ")
}

/// Makes an operator who may do everything; answers the password for the first sign-in.
pub(crate) fn create_operator(
    stage: &Stage,
    interrupt: &Interrupt,
    children: &Children,
    (email, name): (&str, &str),
) -> Result<String> {
    let (email, name) = (format!("--email={email}"), format!("--name={name}"));
    let args = ["operators", "create", &email, &name, "--roles=super_admin"];
    let text = stage.worker(interrupt, children, &args)?;
    printed(&text, "password ")
}

/// What a command printed behind a word at the beginning of a line.
fn printed(text: &str, word: &str) -> Result<String> {
    let found = text.lines().find_map(|line| line.strip_prefix(word));
    let found = found.with_context(|| format!("no line of the output begins with {word:?}"))?;
    Ok(found.trim().to_owned())
}

/// A key that exists for this run.
pub(crate) fn private_key() -> Result<String> {
    random()
}

/// 32 random bytes in hex.
fn random() -> Result<String> {
    let mut bytes = [0_u8; 32];
    std::fs::File::open("/dev/urandom")
        .and_then(|mut file| std::io::Read::read_exact(&mut file, &mut bytes))
        .context("no random numbers")?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Brings a supplier wallet in by its private key; answers its id.
pub(crate) fn add_wallet(stage: &Stage, private_key: &str, label: &str) -> Result<String> {
    let body = json!({ "private_key": private_key, "label": label });
    let mut added: Added = stage.api.post("/api/supplier-wallets/add", &body, Some(&random()?))?;
    match (added.items.pop(), added.items.is_empty()) {
        (Some(wallet), true) => Ok(wallet.id),
        _ => bail!("one key makes one wallet"),
    }
}

/// A supplier wallet as it is now; an error if its key was rejected.
pub(crate) fn wallet(stage: &Stage, id: &str) -> Result<WalletView> {
    let wallet: WalletView = stage.api.get(&format!("/api/supplier-wallets/{id}"))?;
    match &wallet.rejected_reason {
        Some(reason) => bail!("the wallet was rejected: {reason}"),
        None => Ok(wallet),
    }
}

/// Has every wallet read from the chain.
pub(crate) fn read_wallets(stage: &Stage) -> Result<()> {
    let path = "/api/supplier-wallets/update-balances";
    stage.api.post::<Value>(path, &json!({}), None).map(drop)
}

#[derive(Deserialize)]
struct Added {
    items: Vec<AddedWallet>,
}

#[derive(Deserialize)]
struct AddedWallet {
    id: String,
}

/// A supplier wallet as the API shows it.
#[derive(Deserialize)]
pub(crate) struct WalletView {
    pub(crate) address: Option<String>,
    pub(crate) state: String,
    rejected_reason: Option<String>,
    /// In TRX.
    pub(crate) delegatable: String,
    pub(crate) bandwidth_available: i64,
}
