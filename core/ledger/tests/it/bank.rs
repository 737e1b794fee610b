//! Many tasks at once: no money appears or vanishes, nobody is overdrawn, nobody waits in a circle.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use db::run_tx;
use ledger::LedgerError;
use ledger::movements::{self, Direction};
use switchyard_ledger as ledger;

use crate::support::{Books, USERS, adjustment, at, hold};

const TASKS: usize = 8;
const ROUNDS: usize = 40;
const START: i64 = 1_000;

/// A small generator, so that a failing run can be run again.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: i64) -> i64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        i64::try_from(self.0 >> 33).unwrap() % sides
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn random_movements_beside_each_other_keep_every_total() {
    let books = Arc::new(Books::new().await);
    for user in 1..=USERS {
        books.fund(user, START).await;
    }
    let mut tasks = Vec::new();
    for task in 0..TASKS {
        let (books, orders) = (books.clone(), books.orders(ROUNDS).await);
        tasks.push(tokio::spawn(async move {
            let mut dice = Dice(0x9e37_79b9_7f4a_7c15 + u64::try_from(task).unwrap());
            let (mut credited, mut open) = (0, Vec::new());
            for (round, order) in orders.into_iter().enumerate() {
                let (user, minor) = (1 + dice.throw(USERS), 1 + dice.throw(700));
                match books.hold(order, user, minor).await {
                    Ok(_) => open.push(order),
                    Err(LedgerError::InsufficientFunds { .. }) => {
                        let reference = format!("top-up-{task}-{round}");
                        let top_up = adjustment(&reference, user, Direction::Credit, minor);
                        books.adjust(&top_up).await.unwrap();
                        credited += minor;
                    }
                    Err(other) => panic!("{other:?}"),
                }
                if open.len() < 4 {
                    continue;
                }
                let some = open.split_off(2);
                match dice.throw(3) {
                    0 => drop(books.settle_many(&some).await.unwrap()),
                    1 => {
                        // several users' rows in one transaction
                        let cancelled = run_tx(&books.worker, "test", async |conn| {
                            movements::cancel_many_in_tx(conn, &some, None, at()).await
                        });
                        cancelled.await.unwrap();
                    }
                    _ => {
                        books.refund(some[0]).await.unwrap();
                        books.settle(some[1]).await.unwrap();
                    }
                }
                if dice.throw(4) == 0 {
                    books.checkpoint().await;
                }
            }
            credited
        }));
    }
    let mut credited = START * USERS;
    for task in tasks {
        credited += task.await.unwrap();
    }
    let users = books
        .number("SELECT sum(balance) FROM ledger_accounts WHERE user_id IS NOT NULL")
        .await;
    let [escrow, revenue, adjustments] = books.houses().await;
    assert_eq!(i128::from(users) + escrow + revenue, i128::from(credited));
    assert_eq!(adjustments, -i128::from(credited));
    assert_eq!(
        books
            .number("SELECT count(*) FROM ledger_accounts WHERE balance < 0")
            .await,
        0
    );
    books.assert_proven().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn postings_to_one_user_queue_and_never_deadlock() {
    let books = Arc::new(Books::new().await);
    books.fund(1, 10_000).await;
    let (runs, start) = (Arc::new(AtomicU32::new(0)), Arc::new(tokio::sync::Barrier::new(TASKS)));
    let mut tasks = Vec::new();
    for _ in 0..TASKS {
        let (books, runs, start) = (books.clone(), runs.clone(), start.clone());
        let orders = books.orders(ROUNDS).await;
        tasks.push(tokio::spawn(async move {
            start.wait().await;
            for order in orders {
                let hold = hold(order, 1, 1);
                let held = run_tx(&books.api, "test", async |conn| {
                    runs.fetch_add(1, Ordering::SeqCst);
                    movements::hold_in_tx(conn, &hold).await
                });
                held.await.unwrap();
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    let holds = TASKS * ROUNDS;
    assert_eq!(books.trx(1).await, 10_000 - i64::try_from(holds).unwrap());
    assert_eq!(
        runs.load(Ordering::SeqCst),
        u32::try_from(holds).unwrap(),
        "no posting had to be run again"
    );
}
