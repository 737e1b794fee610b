//! Random sequences of movements against a naive model in memory: every answer and every balance agrees.

use std::collections::HashMap;

use kernel::OrderId;
use ledger::movements::Direction;
use ledger::{LedgerError, Posted};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use switchyard_ledger as ledger;

use crate::support::{Books, adjustment};

const PEOPLE: usize = 3;
const ORDERS: usize = 5;
const CASES: u32 = 40;

/// One step; people, orders and references are small indices, so that steps meet.
#[derive(Debug, Clone)]
enum Step {
    Adjust {
        reference: usize,
        user: usize,
        credit: bool,
        minor: i64,
    },
    Hold {
        order: usize,
        user: usize,
        minor: i64,
    },
    End {
        order: usize,
        how: End,
    },
    SettleMany(Vec<usize>),
    Checkpoint,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Settle,
    Refund,
    Cancel,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let end = prop_oneof![Just(End::Settle), Just(End::Refund), Just(End::Cancel)];
    let step = prop_oneof![
        3 => (0..8_usize, 0..PEOPLE, prop::bool::weighted(0.7), 0..40_i64)
            .prop_map(|(reference, user, credit, minor)| Step::Adjust { reference, user, credit, minor }),
        4 => (0..ORDERS, 0..PEOPLE, 1..25_i64).prop_map(|(order, user, minor)| Step::Hold { order, user, minor }),
        4 => (0..ORDERS, end).prop_map(|(order, how)| Step::End { order, how }),
        1 => prop::collection::vec(0..ORDERS, 0..4).prop_map(Step::SettleMany),
        1 => Just(Step::Checkpoint),
    ];
    prop::collection::vec(step, 1..30)
}

/// Balances are plain numbers, events are map keys, and a movement is a few ifs.
#[derive(Default)]
struct Model {
    users: [i64; PEOPLE],
    houses: [i64; 3],
    adjusted: HashMap<usize, (usize, bool, i64)>,
    held: HashMap<usize, (usize, i64)>,
    ended: HashMap<usize, End>,
}

impl Model {
    fn step(&mut self, step: &Step) -> &'static str {
        match step {
            Step::Adjust {
                reference,
                user,
                credit,
                minor,
            } => self.adjust(*reference, (*user, *credit, *minor)),
            Step::Hold { order, user, minor } => self.hold(*order, (*user, *minor)),
            Step::End { order, how } => self.end(*order, *how),
            Step::SettleMany(orders) => self.settle_many(orders),
            Step::Checkpoint => "new",
        }
    }

    fn adjust(&mut self, reference: usize, contents: (usize, bool, i64)) -> &'static str {
        let (user, credit, minor) = contents;
        match self.adjusted.get(&reference) {
            _ if minor == 0 => "zero",
            Some(known) if *known == contents => "already",
            Some(_) => "reference_reused",
            None if !credit && self.users[user] < minor => "insufficient",
            None => {
                let signed = if credit { minor } else { -minor };
                self.users[user] += signed;
                self.houses[2] -= signed;
                self.adjusted.insert(reference, contents);
                "new"
            }
        }
    }

    fn hold(&mut self, order: usize, contents: (usize, i64)) -> &'static str {
        let (user, minor) = contents;
        match self.held.get(&order) {
            Some(known) if *known == contents => "already",
            Some(_) => "event_reused",
            None if self.users[user] < minor => "insufficient",
            None => {
                self.users[user] -= minor;
                self.houses[0] += minor;
                self.held.insert(order, contents);
                "new"
            }
        }
    }

    fn end(&mut self, order: usize, how: End) -> &'static str {
        let Some((user, minor)) = self.held.get(&order).copied() else {
            return "not_held";
        };
        match self.ended.get(&order) {
            Some(before) if *before == how => "already",
            Some(_) => "ended",
            None => {
                self.houses[0] -= minor;
                match how {
                    End::Settle => self.houses[1] += minor,
                    End::Refund | End::Cancel => self.users[user] += minor,
                }
                self.ended.insert(order, how);
                "new"
            }
        }
    }

    /// All or none.
    fn settle_many(&mut self, orders: &[usize]) -> &'static str {
        if orders.iter().any(|order| !self.held.contains_key(order)) {
            return "not_held";
        }
        if orders
            .iter()
            .any(|order| self.ended.get(order).is_some_and(|how| *how != End::Settle))
        {
            return "ended";
        }
        let words: Vec<_> = orders.iter().map(|order| self.end(*order, End::Settle)).collect();
        if words.contains(&"new") { "new" } else { "already" }
    }
}

fn word(answer: Result<Posted, LedgerError>) -> &'static str {
    match answer {
        Ok(Posted::New) => "new",
        Ok(Posted::Already) => "already",
        Err(LedgerError::ZeroAmount) => "zero",
        Err(LedgerError::InsufficientFunds { .. }) => "insufficient",
        Err(LedgerError::EventReused { .. }) => "event_reused",
        Err(LedgerError::ReferenceReused { .. }) => "reference_reused",
        Err(LedgerError::NotHeld(_)) => "not_held",
        Err(LedgerError::OrderEnded(_)) => "ended",
        Err(other) => panic!("unexpected: {other:?}"),
    }
}

/// Users and references of one case; the books are shared by all.
struct Case<'a> {
    books: &'a Books,
    number: i64,
    orders: Vec<OrderId>,
}

impl Case<'_> {
    fn user(&self, index: usize) -> i64 {
        1_000 * (self.number + 1) + i64::try_from(index).unwrap()
    }

    async fn step(&self, step: &Step) -> &'static str {
        match step {
            Step::Adjust {
                reference,
                user,
                credit,
                minor,
            } => {
                let reference = format!("{}-{reference}", self.number);
                let direction = if *credit { Direction::Credit } else { Direction::Debit };
                word(
                    self.books
                        .adjust(&adjustment(&reference, self.user(*user), direction, *minor))
                        .await,
                )
            }
            Step::Hold { order, user, minor } => {
                word(self.books.hold(self.orders[*order], self.user(*user), *minor).await)
            }
            Step::End { order, how } => {
                let order = self.orders[*order];
                word(match how {
                    End::Settle => self.books.settle(order).await,
                    End::Refund => self.books.refund(order).await,
                    End::Cancel => self.books.cancel(order).await,
                })
            }
            Step::SettleMany(orders) => {
                let orders: Vec<OrderId> = orders.iter().map(|order| self.orders[*order]).collect();
                let new = self.books.settle_many(&orders).await;
                word(new.map(|new| if new == 0 { Posted::Already } else { Posted::New }))
            }
            Step::Checkpoint => {
                self.books.checkpoint().await;
                "new"
            }
        }
    }

    async fn run(&self, steps: &[Step]) -> Result<(), TestCaseError> {
        let (mut model, before) = (Model::default(), self.books.houses().await);
        for step in steps {
            prop_assert_eq!(self.step(step).await, model.step(step), "{:?}", step);
        }
        for (index, expected) in model.users.iter().enumerate() {
            prop_assert_eq!(self.books.trx(self.user(index)).await, *expected);
        }
        let after = self.books.houses().await;
        for ((after, before), expected) in after.into_iter().zip(before).zip(model.houses) {
            prop_assert_eq!(after - before, i128::from(expected));
        }
        Ok(())
    }
}

#[test]
fn the_books_agree_with_a_naive_model() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let books = runtime.block_on(Books::new());
    let number = std::cell::Cell::new(0);
    let config = Config {
        cases: CASES,
        max_shrink_iters: 200,
        failure_persistence: None,
        ..Config::default()
    };
    let ran = TestRunner::new(config).run(&steps(), |steps| {
        number.set(number.get() + 1);
        runtime.block_on(async {
            let orders = books.orders(ORDERS).await;
            let case = Case {
                books: &books,
                number: number.get(),
                orders,
            };
            for index in 0..PEOPLE {
                let user = case.user(index);
                books
                    .db
                    .sql(&format!("INSERT INTO users (id, created_at) VALUES ({user}, now())"))
                    .await;
            }
            case.run(&steps).await
        })
    });
    ran.unwrap();
    runtime.block_on(books.assert_proven());
}
