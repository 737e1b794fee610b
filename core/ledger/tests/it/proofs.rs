//! The proofs find what they are for.

use kernel::{Asset, UserId};
use switchyard_ledger as ledger;

use crate::support::{Books, user_trx};

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_balance_is_found_by_both_proofs() {
    let books = Books::new().await;
    books.fund(1, 100).await;
    books.fund(2, 100).await;
    books.assert_proven().await;
    books
        .db
        .sql(
            "ALTER TABLE ledger_accounts DISABLE TRIGGER ledger_accounts_guard;
             UPDATE ledger_accounts SET balance = 105 WHERE code = 'user:2:TRX';
             ALTER TABLE ledger_accounts ENABLE TRIGGER ledger_accounts_guard",
        )
        .await;
    let mut conn = db::acquire(&books.worker).await.unwrap();
    let found = ledger::check_replay(&mut conn).await.unwrap();
    let expected = ledger::Difference {
        account: user_trx(2),
        kept: 105,
        replayed: 100,
    };
    assert_eq!(found, [expected]);
    let found = ledger::check_balanced(&mut conn).await.unwrap();
    assert_eq!(
        found.iter().map(|found| (found.asset, found.total)).collect::<Vec<_>>(),
        [(Asset::Trx, 5)]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn escrow_is_what_open_orders_paid() {
    let books = Books::new().await;
    let orders = books.orders(3).await;
    books.fund(1, 100).await;
    for order in &orders {
        books.hold(*order, 1, 10).await.unwrap();
    }
    books.settle(orders[0]).await.unwrap();
    let mut conn = db::acquire(&books.worker).await.unwrap();
    assert_eq!(ledger::escrow_balance(&mut conn, Asset::Trx).await.unwrap(), 20);
    assert_eq!(ledger::escrow_balance(&mut conn, Asset::Usdt).await.unwrap(), 0);
    let balances = ledger::user_balances(&mut conn, UserId(1)).await.unwrap();
    let minor: Vec<_> = balances
        .into_iter()
        .map(|(asset, amount)| (asset, amount.minor()))
        .collect();
    assert_eq!(minor, [(Asset::Trx, 70), (Asset::Usdt, 0)]);
}
