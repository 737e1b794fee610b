//! Accounts whose permissions name other keys, and wallets that sign by them.

use ::chain::TronAddress;
use devnet::ActivePermission;
use kernel::WalletId;
use serde_json::{Value, json};
use tron::PrivateKey;

use super::{Rig, by_key};

/// The contract types of lending: DelegateResource and UnDelegateResource.
pub(crate) const LENDS: &[u8] = &[57, 58];

/// A wallet that signs with another account's key.
pub(crate) struct Hot {
    pub(crate) id: WalletId,
    pub(crate) account: PrivateKey,
    pub(crate) key: PrivateKey,
}

/// How many findings of a kind are open.
pub(crate) fn open_findings(kind: &str) -> String {
    format!("SELECT count(*) AS n FROM findings WHERE kind = '{kind}' AND resolved_at IS NULL")
}

impl Rig {
    /// The account has one active permission from now on, number 2: these contract types, for any one of these keys.
    pub(crate) fn permit(&self, account: TronAddress, contract_types: &[u8], keys: &[TronAddress]) {
        self.permit_jointly(account, contract_types, (keys, 1));
    }

    /// The same, where so many of the keys have to sign.
    pub(crate) fn permit_jointly(
        &self,
        account: TronAddress,
        contract_types: &[u8],
        (keys, threshold): (&[TronAddress], i64),
    ) {
        let mut bits = [0_u8; 32];
        for number in contract_types {
            bits[usize::from(number / 8)] |= 1 << (number % 8);
        }
        let permission = ActivePermission {
            id: 2,
            operations: hex::encode(bits),
            keys: keys.to_vec(),
            threshold,
        };
        self.devnet.set_permissions(account, &[permission]).unwrap();
        self.mine(1);
    }

    /// A staked account that lets a key of another lend, handed in and read.
    pub(crate) async fn hot_supplier(&self, contract_types: &[u8]) -> Hot {
        let (account, key) = (self.staked_key(100_000), PrivateKey::generate().unwrap());
        self.permit(account.address(), contract_types, &[key.address()]);
        let mut body = by_key(&key);
        body["address"] = json!(account.address().to_string());
        body["permission_id"] = json!(2);
        let id = self.hand_in(body).await;
        self.until("the wallet is read", async || self.wallet(id).await.synced_at.is_some())
            .await;
        Hot { id, account, key }
    }

    /// Asks for another key; the answer, or the code of the problem.
    pub(crate) async fn replace_key(&self, wallet: WalletId, mut body: Value) -> Result<Value, String> {
        body["reason"] = json!("rotated");
        let path = format!("/api/supplier-wallets/{wallet}/key");
        self.http.post(&path, body).await
    }

    /// Adds a wallet; the answer, or the code of the problem.
    pub(crate) async fn try_hand_in(&self, body: Value) -> Result<Value, String> {
        self.http.post("/api/supplier-wallets/add", body).await
    }

    /// The wallet as the API shows it.
    pub(crate) async fn shown_wallet(&self, wallet: WalletId) -> Value {
        self.http.get(&format!("/api/supplier-wallets/{wallet}")).await
    }

    /// What its key can do, as the API shows it.
    pub(crate) async fn shown_permissions(&self, wallet: WalletId) -> Value {
        self.http
            .get(&format!("/api/supplier-wallets/{wallet}/permissions"))
            .await
    }
}
