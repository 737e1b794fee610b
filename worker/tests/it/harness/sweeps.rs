//! What is needed to collect deposit addresses, and what became of it.

use db::acquire;
use db::models::{DepositAccountKey, SweepState};
use domain::sweeps::{self, SweepDetail};
use jobs::JobKind;
use kernel::{Asset, Clock, SweepId, UserId};
use keyring::{MasterKeySource, WrappedAccount};
use switchyard_worker::keys::{ConfiguredMaster, unlock_master};
use tron::{AccountPrivateKey, Mnemonic, PrivateKey};
use zeroize::Zeroizing;

use super::{NETWORK, Rig, Sent, TRX, address_of, payer::Payer};

/// The words that the API's addresses derive from.
const WORDS: &str = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";
/// Who orders energy for sweeps.
pub(crate) const HOUSE: UserId = UserId(-1);

/// The key of a deposit address, which customers never see.
pub(crate) fn key_of_address(place: u32) -> PrivateKey {
    Mnemonic::parse(WORDS).unwrap().private_key("", place).unwrap()
}

impl Rig {
    /// The account's key is at rest, as after `deposit-key import`.
    pub(crate) async fn keep_account(&self) {
        let (id, key) = self.world.masters[0].clone();
        let source = MasterKeySource::Raw(Zeroizing::new(key));
        let now = self.clock.now();
        let master = unlock_master(&self.owner, ConfiguredMaster { id, source }, now)
            .await
            .unwrap();
        let account = AccountPrivateKey::from_mnemonic(&Mnemonic::parse(WORDS).unwrap(), "").unwrap();
        let wrapped = WrappedAccount::wrap(&master, &account).unwrap();
        let row = DepositAccountKey {
            fingerprint: wrapped.fingerprint,
            master_key_id: wrapped.master_key_id,
            wrapped_data_key: wrapped.wrapped_data_key,
            ciphertext: wrapped.ciphertext,
            created_at: now,
        };
        let mut conn = acquire(&self.owner).await.unwrap();
        assert!(row.insert_if_missing(&mut conn).await.unwrap());
    }

    /// A user pays so much to an address of his own, and is credited. Answers the address.
    pub(crate) async fn paid_in(&self, payer: &Payer, user: i64, what: Sent) -> ::chain::TronAddress {
        let asset = match what {
            Sent::Trx(_) | Sent::TrxByContract(_) => "TRX",
            Sent::Usdt(_) => "USDT",
        };
        let to = address_of(&self.announce(user, asset, "address", None).await);
        self.idle().await;
        let before = self.credited().await;
        payer.pay(self, to, what).await;
        self.until("it is credited", async || self.credited().await > before)
            .await;
        to
    }

    async fn credited(&self) -> i64 {
        self.count("SELECT count(*) AS n FROM incoming_transfers WHERE state = 'credited'")
            .await
    }

    /// Looks for addresses that are worth collecting, as the schedule does; answers how many sweeps there are then.
    pub(crate) async fn plan_sweeps(&self) -> usize {
        self.ask(JobKind::DepositsPlanSweeps, NETWORK).await;
        self.meanwhile("it is planned", async || {
            self.count("SELECT count(*) AS n FROM jobs WHERE kind = 'deposits.plan_sweeps'")
                .await
                == 0
        })
        .await;
        self.sweeps().await.len()
    }

    /// Every sweep, the oldest first.
    pub(crate) async fn sweeps(&self) -> Vec<SweepDetail> {
        let mut rows = sweeps::page(&self.owner, db::models::SweepFilter::default(), None, 100)
            .await
            .unwrap();
        rows.reverse();
        let mut all = Vec::new();
        for (sweep, _) in rows {
            all.push(sweeps::detail(&self.owner, SweepId(sweep.id)).await.unwrap());
        }
        all
    }

    /// Makes blocks until every sweep is in this state.
    pub(crate) async fn wait_sweeps(&self, state: SweepState) {
        let what = format!("sweeps become {state}");
        self.until(&what, async || {
            let all = self.sweeps().await;
            !all.is_empty() && all.iter().all(|one| one.sweep.state == state)
        })
        .await;
    }

    /// What the house paid for energy and what the chain took, by the books, in sun.
    pub(crate) async fn spent(&self) -> i64 {
        self.count(
            "SELECT coalesce(sum(amount), 0)::bigint AS n FROM ledger_transfers \
             WHERE debit_account = 'house:fees:tron:TRX'",
        )
        .await
    }
}

impl Rig {
    /// What the house's own customer has, in sun. Nobody may ask for him over the API.
    pub(crate) async fn house_balance(&self) -> i64 {
        let balances = domain::users::balances(&self.owner, HOUSE).await.unwrap();
        let found = balances.iter().find(|(asset, _)| *asset == Asset::Trx);
        found.unwrap().1.minor()
    }

    /// What he has in escrow.
    pub(crate) async fn house_held(&self) -> i64 {
        self.count(&format!(
            "SELECT coalesce(sum(price_sun), 0)::bigint AS n FROM orders \
             WHERE user_id = {HOUSE} AND state IN ('pending', 'processing')"
        ))
        .await
    }
}

/// The names of what happened to a sweep, oldest first.
pub(crate) fn timeline(detail: &SweepDetail) -> Vec<&str> {
    detail.events.iter().map(|event| event.event.as_str()).collect()
}

/// What a payment of so many whole coins is.
pub(crate) const fn trx(whole: i64) -> Sent {
    Sent::Trx(whole * TRX)
}

/// The same of the token.
pub(crate) const fn usdt(whole: i64) -> Sent {
    Sent::Usdt(whole * TRX)
}
