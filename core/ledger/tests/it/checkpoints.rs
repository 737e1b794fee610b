//! A checkpoint never loses a transfer, whoever is still writing; and it is what balances are read from.

use std::sync::Arc;
use std::time::Duration;

use db::run_tx;
use diesel_async::{AsyncConnection, AsyncPgConnection, SimpleAsyncConnection};
use kernel::Asset;
use ledger::movements::{self, Direction};
use ledger::{Account, LedgerError};
use switchyard_ledger as ledger;
use testkit::Role;

use crate::support::{Books, adjustment, at};

const ADJUSTMENTS: Account = Account::Adjustments(Asset::Trx);

impl Books {
    /// Checkpoints until every committed transfer is below one: transactions of other databases hold the bound back.
    async fn checkpoint_all(&self) {
        let left = "SELECT count(*) FROM ledger_transfers WHERE xact_id >=
            (SELECT COALESCE(max(below_xact), '0') FROM ledger_checkpoints)";
        let caught_up = async {
            while self.number(left).await > 0 {
                self.checkpoint().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), caught_up).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_of_an_open_transaction_is_not_lost() {
    let books = Books::new().await;
    books.fund(1, 100).await;
    // writes first, commits last
    let mut slow = AsyncPgConnection::establish(&books.db.url(Role::Api)).await.unwrap();
    slow.batch_execute("BEGIN").await.unwrap();
    let credit = adjustment("slow", 2, Direction::Credit, 7);
    movements::adjust_in_tx(&mut slow, &credit).await.unwrap();
    books.fund(3, 20).await;
    books.checkpoint().await;
    assert_eq!(
        books.house(ADJUSTMENTS).await,
        -120,
        "what is not committed is not there yet"
    );
    slow.batch_execute("COMMIT").await.unwrap();
    assert_eq!(books.house(ADJUSTMENTS).await, -127);
    books.checkpoint_all().await;
    assert_eq!(books.house(ADJUSTMENTS).await, -127);
    books.assert_proven().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn balances_are_read_from_the_last_checkpoint() {
    let books = Books::new().await;
    books.fund(1, 100).await;
    books.checkpoint_all().await;
    let kept = "SELECT debits FROM ledger_checkpoints WHERE account = 'house:adjustments:TRX'";
    assert_eq!(books.number(kept).await, 100);
    assert_eq!(books.checkpoint().await, 0, "nothing moved since");
    books.fund(2, 50).await;
    books.checkpoint_all().await;
    assert_eq!(books.number(&format!("{kept} AND debits > 100")).await, 150);
    // users' balances are cached and need none
    assert_eq!(
        books
            .number("SELECT count(*) FROM ledger_checkpoints WHERE account LIKE 'user:%'")
            .await,
        0
    );
    // a false one is believed by the balance, and found by the proofs
    books
        .db
        .sql(
            "INSERT INTO ledger_checkpoints SELECT account, '4', debits + 1, credits, created_at + interval '1 s'
             FROM ledger_checkpoints WHERE debits = 150",
        )
        .await;
    assert_eq!(books.house(ADJUSTMENTS).await, -301);
    let mut conn = db::acquire(&books.worker).await.unwrap();
    let found = ledger::check_replay(&mut conn).await.unwrap();
    let expected = ledger::Difference {
        account: ADJUSTMENTS,
        kept: -301,
        replayed: -150,
    };
    assert_eq!(found, [expected]);
    let found = ledger::check_balanced(&mut conn).await.unwrap();
    assert_eq!(
        found.iter().map(|found| (found.asset, found.total)).collect::<Vec<_>>(),
        [(Asset::Trx, -151)]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_of_another_cluster_is_not_believed() {
    let books = Books::new().await;
    books.fund(1, 100).await;
    books
        .db
        .sql("INSERT INTO ledger_checkpoints VALUES ('house:adjustments:TRX', '9000000000000', 5, 0, now())")
        .await;
    assert_eq!(books.house(ADJUSTMENTS).await, -100);
    books.assert_proven().await;
    books.checkpoint().await;
    assert_eq!(books.house(ADJUSTMENTS).await, -100);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn checkpoints_beside_writers_add_up() {
    let books = Arc::new(Books::new().await);
    let writers = (1..=4).map(|user| {
        let books = books.clone();
        tokio::spawn(async move {
            for n in 0..30 {
                let references = [format!("w{user}-{n}-a"), format!("w{user}-{n}-b")];
                // two statements, so that checkpoints fall between the write and the commit
                let both = run_tx(&books.api, "test", async |conn| {
                    for reference in &references {
                        let credit = adjustment(reference, user, Direction::Credit, 3);
                        movements::adjust_in_tx(conn, &credit).await?;
                    }
                    Ok::<_, LedgerError>(())
                });
                both.await.unwrap();
            }
        })
    });
    let writers: Vec<_> = writers.collect();
    while !writers.iter().all(tokio::task::JoinHandle::is_finished) {
        run_tx(&books.worker, "test", async |conn| {
            ledger::checkpoint_in_tx(conn, at()).await
        })
        .await
        .unwrap();
        let mut conn = db::acquire(&books.worker).await.unwrap();
        assert_eq!(ledger::check_replay(&mut conn).await.unwrap(), []);
        assert_eq!(ledger::check_balanced(&mut conn).await.unwrap(), []);
    }
    for writer in writers {
        writer.await.unwrap();
    }
    books.checkpoint_all().await;
    assert_eq!(books.house(ADJUSTMENTS).await, -4 * 30 * 6);
    books.assert_proven().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn totals_are_the_same_before_and_after_a_checkpoint() {
    let books = Books::new().await;
    books.fund(1, 100).await;
    books.fund(2, 20).await;
    let totals = async || {
        let mut conn = db::acquire(&books.db.pool(Role::Worker)).await.unwrap();
        let totals = ledger::totals(&mut conn).await.unwrap();
        let line = |total: ledger::Total| format!("{} {} {}", total.account, total.asset, total.minor);
        totals.into_iter().map(line).collect::<Vec<_>>()
    };
    let expected = ["adjustments TRX -120", "users TRX 120"];
    assert_eq!(totals().await, expected);
    books.checkpoint_all().await;
    assert_eq!(totals().await, expected);
    books.fund(3, 1).await;
    assert_eq!(totals().await, ["adjustments TRX -121", "users TRX 121"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_first_transfers_of_many_at_once_open_an_account_once() {
    let books = Arc::new(Books::new().await);
    for user in 1..=20 {
        let first: Vec<_> = (0..6)
            .map(|n| {
                let books = books.clone();
                tokio::spawn(async move {
                    run_tx(&books.api, "test", async |conn| {
                        let reference = format!("first-{user}-{n}");
                        let credit = adjustment(&reference, user, Direction::Credit, 3);
                        movements::adjust_in_tx(conn, &credit).await
                    })
                    .await
                })
            })
            .collect();
        for written in first {
            written.await.unwrap().unwrap();
        }
    }
    assert_eq!(books.house(ADJUSTMENTS).await, -20 * 6 * 3);
    books.assert_proven().await;
}
