//! `wallets check-permissions`: what the wallets' keys can do, read from the chain now, kept, and printed in English and Chinese.

use db::models::{SupplierWallet, WalletFilter, WalletPurpose, WalletState};
use domain::wallets::{KeyPowers, Problem, ReadPermissions, find, note_permissions, page};
use kernel::WalletId;
use serde_json::{Value, json};
use settings::Settings;

use super::stake::find as find_wallet;
use super::{print, report, setup};
use crate::environment::Environment;
use crate::signer::wallet_address;

/// Wallets read at once from the database.
const BATCH: i64 = 100;

/// What was read of one wallet on one network.
struct Read {
    wallet: SupplierWallet,
    network: String,
    block: i64,
    powers: KeyPowers,
}

pub(super) async fn check(settings: &Settings, wallet: Option<&str>, as_json: bool) -> anyhow::Result<()> {
    let env = setup::environment(settings).await?;
    let wallets = match wallet {
        Some(wallet) => vec![find(&env.pool, find_wallet(&env.pool, wallet).await?).await?],
        None => all(&env).await?,
    };
    let mut reads = Vec::new();
    for wallet in wallets {
        if wallet.state != WalletState::Active || wallet.purpose == WalletPurpose::Deposit {
            continue;
        }
        reads.extend(read(&env, &wallet).await?);
    }
    if as_json {
        print(&report::json(&reads.iter().map(in_json).collect()));
    } else {
        reads.iter().for_each(|read| print(&in_words(read)));
    }
    Ok(())
}

async fn all(env: &Environment) -> anyhow::Result<Vec<SupplierWallet>> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let wallets = page(&env.pool, &WalletFilter::default(), after, BATCH).await?;
        let Some(last) = wallets.last() else {
            return Ok(all);
        };
        after = Some(WalletId(last.id));
        all.extend(wallets);
    }
}

async fn read(env: &Environment, wallet: &SupplierWallet) -> anyhow::Result<Vec<Read>> {
    let address = wallet_address(wallet)?;
    let mut reads = Vec::with_capacity(env.networks.len());
    for (name, network) in &env.networks {
        let snapshot = network.chain.wallet_snapshot(address).await?;
        let read = ReadPermissions {
            network: name,
            permissions: &snapshot.permissions,
            as_of_block: snapshot.as_of_block,
        };
        let what = (WalletId(wallet.id), read);
        let noted = note_permissions(&env.pool, env.ids.as_ref(), what, env.clock.now()).await?;
        reads.extend(noted.map(|powers| Read {
            wallet: wallet.clone(),
            network: name.clone(),
            block: snapshot.as_of_block,
            powers,
        }));
    }
    Ok(reads)
}

fn in_json(read: &Read) -> Value {
    let (wallet, powers) = (&read.wallet, &read.powers);
    json!({
        "wallet": wallet.id, "address": wallet.address, "key_address": wallet.key_address(), "network": read.network,
        "block": read.block, "permission_id": wallet.permission_id, "purpose": wallet.purpose,
        "permission_name": powers.permission.as_ref().map(|permission| &permission.name),
        "threshold": powers.permission.as_ref().map(|permission| permission.threshold), "weight": powers.weight,
        "signs_alone": powers.signs_alone, "can": powers.can, "lacks": powers.lacks, "moves_money": powers.moves_money,
        "beyond_purpose": powers.beyond, "problem": powers.problem().map(Problem::word),
    })
}

fn in_words(read: &Read) -> String {
    let (wallet, powers) = (&read.wallet, &read.powers);
    let permission = powers.permission.as_ref().map_or_else(
        || "-".to_owned(),
        |permission| format!("{:?} {}/{}", permission.name, powers.weight, permission.threshold),
    );
    let mut lines = vec![
        format!(
            "{}  {}  {}  permission 权限 {} {permission}  key 密钥 {}",
            wallet.id,
            report::or_dash(wallet.address.as_deref()),
            wallet.purpose,
            wallet.permission_id,
            report::or_dash(wallet.key_address()),
        ),
        format!("  can 可执行: {}", named(&powers.can)),
    ];
    match powers.problem() {
        None => lines.push("  signs alone 可独立签名".to_owned()),
        Some(problem) => {
            let (english, chinese) = told(problem);
            lines.push(format!("  CRITICAL cannot sign: {english} 严重：无法签名：{chinese}"));
        }
    }
    if !powers.lacks.is_empty() {
        lines.push(format!("  lacks 缺少: {}", named(&powers.lacks)));
    }
    if powers.moves_money.is_empty() {
        lines.push("  cannot move TRX or tokens 不能转出 TRX 或代币".to_owned());
    } else if wallet.permission_id == 0 {
        lines.push("  owner's key: can move everything 所有者密钥：可转出全部资产".to_owned());
    } else if powers.beyond.is_empty() {
        lines.push("  can pay, as a treasury has to 可付款（财务钱包所需）".to_owned());
    } else {
        lines.push(format!(
            "  WARNING the key can move TRX or tokens 警告：该密钥可转出 TRX 或代币: {}",
            named(&powers.beyond)
        ));
    }
    lines.join("\n")
}

const fn told(problem: Problem) -> (&'static str, &'static str) {
    match problem {
        Problem::NoSuchPermission => ("the account has no such permission", "账户没有该权限"),
        Problem::KeyNotNamed => ("the permission does not name the key", "该权限未包含此密钥"),
        Problem::TooLight => ("the key's weight is below the threshold", "密钥权重低于阈值"),
        Problem::NotAllowed => (
            "the permission does not allow what the wallet is for",
            "该权限不允许钱包所需操作",
        ),
    }
}

fn named(words: &[&str]) -> String {
    let named: Vec<String> = words
        .iter()
        .map(|word| format!("{word} {}", in_chinese(word)))
        .collect();
    if named.is_empty() {
        "-".to_owned()
    } else {
        named.join(", ")
    }
}

fn in_chinese(word: &str) -> &'static str {
    match word {
        "delegate" => "代理资源",
        "undelegate" => "收回代理",
        "freeze" => "质押",
        "unfreeze" => "解押",
        "withdraw_unfrozen" => "提取解押",
        "cancel_unfreezing" => "取消解押",
        "vote" => "投票",
        "withdraw_rewards" => "领取奖励",
        "transfer_trx" => "转账 TRX",
        "transfer_trc10" => "转账 TRC10",
        "call_contracts" => "调用合约",
        "create_contracts" => "部署合约",
        "change_permissions" => "修改权限",
        "trade_tokens" => "交易代币",
        "issue_tokens" => "发行代币",
        "become_witness" => "成为见证人",
        "shielded_transfer" => "匿名转账",
        _ => "",
    }
}
