//! The movements of payouts: their legs, their replay, and what they refuse.

use db::run_tx;
use kernel::{Asset, PayoutId, UserId};
use ledger::movements::{
    ChainFee, PayoutHold, chain_fees_in_tx, payout_hold_in_tx, payout_settle_in_tx, payout_void_in_tx,
};
use ledger::{Account, LedgerError, NetworkName, Posted};
use switchyard_ledger as ledger;
use uuid::Uuid;

use crate::support::{Books, amount, at};

fn nile() -> NetworkName {
    "nile".parse().unwrap()
}

impl Books {
    /// The row of a payout, to hang transfers on.
    async fn payout(&self, n: u128) -> PayoutId {
        let id = PayoutId(Uuid::from_u128(n));
        self.db
            .sql(&format!(
                "INSERT INTO payouts (id, user_id, network, asset, amount, to_address, state, needs_approval, requested_by,
                     approved_at, created_at, updated_at)
                 VALUES ('{id}', 1, 'nile', 'TRX', 30, 'T' || repeat('a', 33), 'approved', false, 'api_key:bot', now(),
                     now(), now())"
            ))
            .await;
        id
    }

    async fn set_aside(&self, payout: PayoutId, minor: i64) -> Result<Posted, LedgerError> {
        let hold = PayoutHold {
            payout,
            user: UserId(1),
            asset: Asset::Trx,
            amount: amount(minor),
            actor: "api_key:bot",
            at: at(),
        };
        run_tx(&self.api, "test", async |conn| payout_hold_in_tx(conn, &hold).await).await
    }

    async fn settle_payout(&self, payout: PayoutId) -> Result<Posted, LedgerError> {
        run_tx(&self.worker, "test", async |conn| {
            payout_settle_in_tx(conn, payout, &nile(), at()).await
        })
        .await
    }

    async fn void_payout(&self, payout: PayoutId) -> Result<Posted, LedgerError> {
        run_tx(&self.worker, "test", async |conn| {
            payout_void_in_tx(conn, payout, None, at()).await
        })
        .await
    }

    /// What is set aside, what the chain holds for customers, and what its network took; in TRX.
    async fn outside(&self) -> [i128; 3] {
        let (network, asset) = (nile(), Asset::Trx);
        [
            self.house(Account::Payouts(asset)).await,
            self.house(Account::Deposits { network, asset }).await,
            self.house(Account::Fees { network: nile() }).await,
        ]
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payout_is_set_aside_once_and_leaves_once() {
    let books = Books::new().await;
    books.fund(1, 100).await;
    let payout = books.payout(1).await;
    assert_eq!(books.set_aside(payout, 30).await.unwrap(), Posted::New);
    assert_eq!(books.set_aside(payout, 30).await.unwrap(), Posted::Already);
    assert_eq!((books.trx(1).await, books.outside().await), (70, [30, 0, 0]));
    let other = books.set_aside(payout, 31).await.unwrap_err();
    assert!(matches!(other, LedgerError::EventReused { .. }), "{other:?}");
    assert_eq!(books.settle_payout(payout).await.unwrap(), Posted::New);
    assert_eq!(books.settle_payout(payout).await.unwrap(), Posted::Already);
    assert_eq!((books.trx(1).await, books.outside().await), (70, [0, 30, 0]));
    let refused = books.void_payout(payout).await.unwrap_err();
    assert!(
        matches!(refused, LedgerError::PayoutEnded(id) if id == payout),
        "{refused:?}"
    );
    books.assert_proven().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_void_gives_back_exactly_what_was_set_aside() {
    let books = Books::new().await;
    books.fund(1, 100).await;
    let payout = books.payout(1).await;
    let refused = books.void_payout(payout).await.unwrap_err();
    assert!(
        matches!(refused, LedgerError::PayoutNotHeld(id) if id == payout),
        "{refused:?}"
    );
    books.set_aside(payout, 30).await.unwrap();
    assert_eq!(books.void_payout(payout).await.unwrap(), Posted::New);
    assert_eq!(books.void_payout(payout).await.unwrap(), Posted::Already);
    assert_eq!((books.trx(1).await, books.outside().await), (100, [0, 0, 0]));
    let refused = books.settle_payout(payout).await.unwrap_err();
    assert!(
        matches!(refused, LedgerError::PayoutEnded(id) if id == payout),
        "{refused:?}"
    );
    books.assert_proven().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payout_beyond_the_balance_is_refused() {
    let books = Books::new().await;
    books.fund(1, 100).await;
    let payout = books.payout(1).await;
    let refused = books.set_aside(payout, 101).await.unwrap_err();
    assert!(matches!(refused, LedgerError::InsufficientFunds { .. }), "{refused:?}");
    assert_eq!((books.trx(1).await, books.transfers().await), (100, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fee_is_booked_once_and_nothing_for_nothing() {
    let books = Books::new().await;
    let fee = |txid: &str, minor| ChainFee {
        txid: txid.repeat(64),
        network: nile(),
        amount: amount(minor),
    };
    let fees = [fee("a", 345_000), fee("b", 0)];
    for new in [1, 0] {
        let booked = run_tx(&books.worker, "test", async |conn| {
            chain_fees_in_tx(conn, &fees, at()).await
        });
        assert_eq!(booked.await.unwrap(), new);
    }
    assert_eq!(books.outside().await, [0, 345_000, -345_000]);
    books.assert_proven().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_refuses_a_second_hold_and_a_second_end_under_any_name() {
    let books = Books::new().await;
    books.fund(1, 100).await;
    let payout = books.payout(1).await;
    books.set_aside(payout, 30).await.unwrap();
    books.settle_payout(payout).await.unwrap();
    let insert = |reason: &str, debit: &str, credit: &str, payout: &str| {
        format!(
            "INSERT INTO ledger_transfers (event, debit_account, credit_account, asset, amount, reason, payout_id, created_at)
             VALUES ('other:{reason}', '{debit}', '{credit}', 'TRX', 1, '{reason}', {payout}, now())"
        )
    };
    let id = format!("'{payout}'");
    for (reason, debit, credit, payout, constraint) in [
        (
            "payout_hold",
            "user:1:TRX",
            "house:payouts:TRX",
            id.as_str(),
            "one_payout_hold",
        ),
        (
            "payout_settle",
            "house:payouts:TRX",
            "house:deposits:nile:TRX",
            &id,
            "one_payout_end",
        ),
        ("payout_void", "house:payouts:TRX", "user:1:TRX", &id, "one_payout_end"),
        (
            "payout_void",
            "house:payouts:TRX",
            "user:1:TRX",
            "NULL",
            "ledger_transfers_payout",
        ),
        (
            "chain_fee",
            "house:payouts:TRX",
            "user:1:TRX",
            &id,
            "ledger_transfers_payout",
        ),
    ] {
        let refused = books.db.try_sql(&insert(reason, debit, credit, payout)).await;
        let refused = refused.expect_err(reason).to_string();
        assert!(refused.contains(constraint), "{reason}: {refused}");
    }
}
