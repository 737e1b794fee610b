//! The movement of exchanges: two legs or none, their replay, and what the database refuses.

use db::run_tx;
use diesel_async::SimpleAsyncConnection;
use kernel::{Asset, ExchangeId, UserId};
use ledger::movements::{
    Adjustment, DepositCredit, Direction, ExchangeLegs, OnChain, credit_and_exchange_in_tx, exchange_in_tx,
};
use ledger::{Account, LedgerError, Posted};
use switchyard_ledger as ledger;
use testkit::Role;
use uuid::Uuid;

use crate::support::{Books, amount, at};

fn legs(n: u128, usdt: i64, trx: i64) -> ExchangeLegs {
    ExchangeLegs {
        exchange: ExchangeId(Uuid::from_u128(n)),
        user: UserId(1),
        usdt: amount(usdt),
        trx: amount(trx),
        actor: Some("api_key:bot".to_owned()),
        at: at(),
    }
}

impl Books {
    async fn fund_usdt(&self, minor: i64) {
        let adjustment = Adjustment {
            reference: "usdt",
            user: UserId(1),
            asset: Asset::Usdt,
            amount: amount(minor),
            direction: Direction::Credit,
            note: "by hand",
            actor: "operator:anna",
            at: at(),
        };
        assert_eq!(self.adjust(&adjustment).await.unwrap(), Posted::New);
    }

    async fn exchange(&self, legs: &ExchangeLegs) -> Result<Posted, LedgerError> {
        run_tx(&self.api, "test", async |conn| exchange_in_tx(conn, legs).await).await
    }

    /// TRX and USDT of the user and of the house's side of exchanges.
    async fn both(&self) -> [i128; 4] {
        let user = |asset| Account::User { user: UserId(1), asset };
        [
            self.house(user(Asset::Trx)).await,
            self.house(user(Asset::Usdt)).await,
            self.house(Account::Exchange(Asset::Trx)).await,
            self.house(Account::Exchange(Asset::Usdt)).await,
        ]
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn both_legs_are_posted_once() {
    let books = Books::new().await;
    books.fund_usdt(100).await;
    assert_eq!(books.exchange(&legs(1, 30, 105)).await.unwrap(), Posted::New);
    assert_eq!(books.exchange(&legs(1, 30, 105)).await.unwrap(), Posted::Already);
    assert_eq!(books.both().await, [105, 70, -105, 30]);
    for other in [legs(1, 30, 106), legs(1, 31, 105)] {
        let refused = books.exchange(&other).await.unwrap_err();
        assert!(matches!(refused, LedgerError::EventReused { .. }), "{refused:?}");
    }
    let refused = books.exchange(&legs(2, 71, 249)).await.unwrap_err();
    assert!(
        matches!(&refused, LedgerError::InsufficientFunds { account, .. } if account.asset() == Asset::Usdt),
        "{refused:?}"
    );
    assert!(matches!(
        books.exchange(&legs(3, 1, 0)).await.unwrap_err(),
        LedgerError::ZeroAmount
    ));
    assert_eq!(books.both().await, [105, 70, -105, 30], "both legs or neither");
    books.assert_proven().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_in_is_credited_and_exchanged_in_one_step() {
    let books = Books::new().await;
    let credit = DepositCredit {
        on_chain: OnChain {
            network: "nile".parse().unwrap(),
            txid: "ab".repeat(32),
            log_index: 0,
        },
        user: UserId(1),
        asset: Asset::Usdt,
        amount: amount(40),
        actor: None,
        at: at(),
    };
    let exchange = legs(1, 40, 140);
    let post = || {
        run_tx(&books.worker, "test", async |conn| {
            credit_and_exchange_in_tx(conn, std::slice::from_ref(&credit), std::slice::from_ref(&exchange)).await
        })
    };
    assert_eq!(post().await.unwrap(), [Posted::New]);
    assert_eq!(post().await.unwrap(), [Posted::Already]);
    assert_eq!(books.both().await, [140, 0, -140, 40]);
    books.assert_proven().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_refuses_legs_that_are_none() {
    let books = Books::new().await;
    books.fund_usdt(100).await;
    books.fund(1, 100).await;
    books.exchange(&legs(9, 10, 35)).await.unwrap();
    let pool = books.db.pool(Role::Worker);
    let mut conn = db::acquire(&pool).await.unwrap();
    let id = Uuid::from_u128(1);
    for (event, debit, credit, asset, reason) in [
        (
            format!("exchange:{id}:usdt"),
            "house:exchange:USDT",
            "user:1:USDT",
            "USDT",
            "exchange",
        ),
        (
            format!("exchange:{id}:trx"),
            "user:1:TRX",
            "house:exchange:TRX",
            "TRX",
            "exchange",
        ),
        (
            format!("exchange:{id}:usdt"),
            "house:exchange:TRX",
            "user:1:TRX",
            "TRX",
            "exchange",
        ),
        (
            format!("exchange:{id}:fee"),
            "user:1:USDT",
            "house:exchange:USDT",
            "USDT",
            "exchange",
        ),
        (
            "adjustment:x".to_owned(),
            "user:1:USDT",
            "house:exchange:USDT",
            "USDT",
            "exchange",
        ),
        (
            format!("exchange:{id}:usdt"),
            "user:1:USDT",
            "house:exchange:USDT",
            "USDT",
            "operator_adjustment",
        ),
    ] {
        let sql = format!(
            "INSERT INTO ledger_transfers (event, debit_account, credit_account, asset, amount, reason, created_at) \
             VALUES ('{event}', '{debit}', '{credit}', '{asset}', 1, '{reason}', now())"
        );
        let refused = conn.batch_execute(&sql).await.unwrap_err().to_string();
        assert!(
            refused.contains("ledger_transfers_exchange"),
            "{event} {debit}: {refused}"
        );
    }
    books.assert_proven().await;
}
