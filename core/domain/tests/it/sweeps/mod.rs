//! Sweeps: what is planned, what is signed for it at most once, and what its blocks bring.

mod paying;
mod planning;

use chrono::Duration;
use db::models::{DepositAccountKey, IntentKind, SupplierWallet, Sweep, SweepState};
use db::{acquire, run_tx};
use domain::DomainError;
use domain::sweeps::{
    Activation, House, Planned, SignedSweep, SweepClaim, SweepClaimed, SweepPolicy, SweepRules, ToCollect,
    claim_activation_in_tx, claim_sweep_in_tx, detail, plan, sweep_signed_in_tx,
};
use kernel::{Asset, ChainTransactionId, DelegationId, IdGen, SweepId, UserId, WalletId};
use switchyard_domain as domain;

use crate::harness::{RESEND, Tx, sign};
use crate::world::{ANNA, NETWORK, World, address};

const TRX: i64 = 1_000_000;
const ACCOUNT: &str = "0a1b2c3d";
const HOUSE: i64 = -1;

impl World {
    fn sweep_policy(&self) -> SweepPolicy {
        SweepPolicy {
            enabled: true,
            network: NETWORK.to_owned(),
            assets: vec![Asset::Trx, Asset::Usdt],
            rules: SweepRules {
                trx_threshold_sun: 20 * TRX,
                usdt_threshold_micro: 50 * TRX,
                reserve_sun: 0,
                burn_bandwidth: false,
                energy_margin_bps: 300,
                energy_min: 32_000,
            },
            activation_sun: 1,
            to_address: None,
            max_open: 3,
            house: Some(House {
                user: UserId(HOUSE),
                api_key: self.key,
            }),
            order: self.policy.clone(),
            energy_failures_alarm: 2,
            retry: (Duration::seconds(15), Duration::minutes(30)),
        }
    }

    /// The account that deposit addresses derive from has its key here.
    async fn account(&self) {
        self.db
            .sql(
                "INSERT INTO master_keys (id, derivation, check_value, created_at) \
                 VALUES (1, '{}', '\\x00', '2030-01-01T00:00:00Z') ON CONFLICT DO NOTHING",
            )
            .await;
        let row = DepositAccountKey {
            fingerprint: ACCOUNT.to_owned(),
            master_key_id: 1,
            wrapped_data_key: vec![1; 60],
            ciphertext: vec![1; 96],
            created_at: self.now(),
        };
        let mut conn = acquire(&self.worker).await.unwrap();
        assert!(row.insert_if_missing(&mut conn).await.unwrap());
    }

    /// A deposit address of Anna's, derived at a place, and what was credited there in block 1000.
    async fn deposit_at(&self, place: u8, asset: Asset, minor: i64) {
        let (id, transfer) = (self.ids.uuid(), self.ids.uuid());
        let (at, now) = (address(60 + place), self.now().to_rfc3339());
        self.db
            .sql(&format!(
                "INSERT INTO deposit_addresses (id, network, address, kind, user_id, key_fingerprint, derivation_index, \
                     retired_at, created_at) \
                 VALUES ('{id}', '{NETWORK}', '{at}', 'user', {ANNA}, '{ACCOUNT}', {place}, '{now}', '{now}') \
                 ON CONFLICT (network, address) DO NOTHING; \
                 INSERT INTO incoming_transfers (id, network, txid, log_index, block_number, block_id, block_time, place, \
                     from_address, to_address, address_id, amount, state, kind, user_id, asset, credited, decided_by, \
                     decided_at, created_at, updated_at) \
                 SELECT '{transfer}', '{NETWORK}', '{transfer}', -1, 1000, 'x', '{now}', 0, '{}', a.address, a.id, {minor}, \
                     'credited', 'plain', {ANNA}, '{asset}', {minor}, 'worker', '{now}', '{now}', '{now}' \
                 FROM deposit_addresses a WHERE a.address = '{at}'",
                address(1)
            ))
            .await;
    }

    async fn plan(&self, policy: &SweepPolicy) -> usize {
        let Planned { sweeps, .. } = plan(&self.worker, &self.ids, policy, self.now()).await.unwrap();
        sweeps
    }

    /// The one sweep there is.
    async fn sweep(&self) -> SweepId {
        let id = self.word("SELECT id::text AS word FROM sweeps").await;
        id.parse().unwrap()
    }

    async fn swept(&self, id: SweepId) -> Sweep {
        detail(&self.worker, id).await.unwrap().sweep
    }

    async fn sweep_state(&self, id: SweepId) -> SweepState {
        self.swept(id).await.state
    }

    async fn sweep_events(&self, id: SweepId) -> Vec<String> {
        let events = detail(&self.worker, id).await.unwrap().events;
        events.into_iter().map(|event| event.event).collect()
    }

    /// A wallet that sweeps go to and activations leave from, with this balance as of block 1000.
    async fn sweep_treasury(&self, n: u8, sun: i64) -> WalletId {
        let id = self.wallet(n, 0).await;
        self.db
            .sql(&format!(
                "UPDATE supplier_wallets SET purpose = 'treasury', balance_sun = {sun} WHERE id = '{id}'"
            ))
            .await;
        id
    }

    /// Claims a sweep, signs and stores: what a worker does before it sends. `Err` says why not.
    async fn collect(&self, id: SweepId, to: WalletId, sun: i64) -> Result<Tx, &'static str> {
        let seen = self.swept(id).await;
        let to = {
            let mut conn = acquire(&self.worker).await.unwrap();
            SupplierWallet::find(&mut conn, to.0).await.unwrap().unwrap()
        };
        let collect = ToCollect {
            seen: &seen,
            amount: sun,
            left: 0,
            to: &to,
            fee_limit_sun: 0,
            as_of_block: 2_000,
            read_block: 1_997,
            energy_until: None,
            life: Duration::seconds(75),
        };
        let now = self.now();
        let signed = run_tx(&self.worker, "test_collect", async |conn| {
            let claim = claim_sweep_in_tx(conn, &collect, now).await?;
            self.store(conn, claim).await
        });
        signed.await.unwrap()
    }

    async fn activate(&self, id: SweepId) -> Result<Tx, &'static str> {
        let (now, activation) = (
            self.now(),
            Activation {
                sun: 1,
                fee_reserve_sun: 5 * TRX,
            },
        );
        let signed = run_tx(&self.worker, "test_activate", async |conn| {
            let claim = claim_activation_in_tx(conn, id, activation, now).await?;
            self.store(conn, claim).await
        });
        signed.await.unwrap()
    }

    async fn store(&self, conn: &mut db::Conn, claim: SweepClaim) -> Result<Result<Tx, &'static str>, DomainError> {
        let claimed: Box<SweepClaimed> = match claim {
            SweepClaim::NothingToDo => return Ok(Err("nothing to do")),
            SweepClaim::Wait(code) => return Ok(Err(code)),
            SweepClaim::Claimed(claimed) => claimed,
        };
        let (id, now) = (ChainTransactionId::new(&self.ids), self.now());
        let (txid, signed) = sign(id, claimed.timestamp_ms, claimed.cursor.head_time);
        let new = SignedSweep {
            claimed: &claimed,
            id,
            signed: &signed,
        };
        sweep_signed_in_tx(conn, &new, (now, now + RESEND.after)).await?;
        assert!(matches!(claimed.kind, IntentKind::Sweep | IntentKind::Activate));
        Ok(Ok(Tx {
            id,
            txid,
            delegation: DelegationId(claimed.sweep.id),
            wallet: WalletId(claimed.wallet.id),
            amount_sun: 0, // no delegation
            expires_at: signed.expires_at,
        }))
    }
}
