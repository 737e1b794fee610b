//! Coin that is sent for energy: bought once, or paid back once, or kept for an operator; never two of these.

use db::models::{OrderState, PayoutState, Rental, RentalState, Switch};
use domain::DomainError;
use domain::operations::{Decision, Instruction, RentalRuling, Ruling, rule_rental};
use domain::orders::cancel_by_user;
use domain::payouts::AssetLimits;
use domain::rentals::{Package, RentalPolicy, Step, advance, publish};
use domain::sweeps::House;
use kernel::{ApiKeyId, OrderId, PayoutId};
use ledger::movements::{Adjustment, Direction};

use super::*;
use crate::accept::throw;
use crate::harness::landed;
use crate::world::{ENERGY, HOUR, STAKE};

/// The house's own customer.
const HOUSE: i64 = -2;
/// What the package costs: less than the table says.
const PACKAGE: i64 = 3 * TRX;

impl World {
    fn rental_policy(&self) -> RentalPolicy {
        RentalPolicy {
            network: NETWORK.to_owned(),
            address: address(51).to_string(),
            house: House {
                user: UserId(HOUSE),
                api_key: self.key,
            },
            packages: vec![Package {
                price: sun(PACKAGE),
                energy: ENERGY,
                duration_s: HOUR,
            }],
            order_deadline: Duration::minutes(10),
            return_from: sun(TRX),
            limits: AssetLimits {
                minimum: sun(TRX),
                user_day: sun(TRX),
                system_hour: sun(20 * TRX),
                approval_above: sun(10 * TRX),
            },
        }
    }

    /// Makes the address known; answers it.
    async fn published(&self) -> TronAddress {
        publish(&self.worker, &self.ids, &self.rental_policy(), self.now())
            .await
            .unwrap();
        address(51)
    }

    /// A final block with this transfer, decided, with energy on sale.
    async fn sent(&self, transfer: &Transfer) -> Uuid {
        self.receive(std::slice::from_ref(transfer)).await;
        self.solidify().await;
        let policy = CreditPolicy {
            rental: Some(self.rental_policy()),
            ..policy()
        };
        deposits::credit(&self.worker, &self.ids, NETWORK, &policy, 100, self.now())
            .await
            .unwrap();
        self.row(transfer).await.id
    }

    async fn step(&self, id: Uuid) -> Result<Step, DomainError> {
        advance(&self.worker, &self.ids, &self.rental_policy(), id, self.now()).await
    }

    async fn waits_for(&self, id: Uuid) -> &'static str {
        match self.step(id).await.unwrap() {
            Step::Goes { waits_for, .. } => waits_for,
            Step::Rests(state) => panic!("it rests: {state}"),
        }
    }

    async fn rental(&self, id: Uuid) -> Rental {
        domain::rentals::find(&self.api, id).await.unwrap()
    }

    async fn held(&self, id: Uuid) -> (Option<String>, Option<String>) {
        let rental = self.rental(id).await;
        assert_eq!(rental.state, RentalState::Held);
        (rental.reason_code, rental.held_code)
    }

    /// Kinds and subjects of open findings.
    async fn open(&self) -> Vec<String> {
        let open = "SELECT kind || ' ' || subject AS word FROM findings WHERE resolved_at IS NULL ORDER BY 1";
        self.words(open).await
    }

    /// The sender of [`coin`] is one customer's own.
    async fn sender_is_known(&self, user: i64) {
        self.db
            .sql(&format!(
                "INSERT INTO users (id, created_at) VALUES ({user}, now()) ON CONFLICT DO NOTHING; \
                 INSERT INTO user_wallets (user_id, address, created_at) VALUES ({user}, '{}', now())",
                address(99)
            ))
            .await;
    }

    async fn rule_rental(&self, id: Uuid, ruling: RentalRuling<'_>) -> Result<RentalState, DomainError> {
        let instruction = Instruction {
            actor: "operator:anna".into(),
            name: "anna".into(),
            reason: Some("he wrote".into()),
            mark: None,
            dry_run: false,
        };
        let ruled = rule_rental(&self.worker, &self.ids, &instruction, (id, ruling), self.now()).await;
        ruled.map(|(rental, _)| rental.state)
    }
}

fn sun(minor: i64) -> Amount {
    Amount::from_minor(minor).unwrap()
}

#[tokio::test]
async fn the_price_of_a_package_buys_its_energy_for_the_sender_once() {
    let world = World::new().await;
    let to = world.published().await;
    world.wallet(1, 10 * STAKE).await;
    let id = world.sent(&coin(1, to, PACKAGE)).await;
    assert!(world.has_job("deposits.rent", id).await);
    assert_eq!(world.trx(HOUSE).await, PACKAGE);
    assert_eq!(world.waits_for(id).await, "order");
    assert_eq!(
        world.waits_for(id).await,
        "order",
        "a second look places no second order"
    );
    assert_eq!(world.count(&format!("orders WHERE user_id = {HOUSE}")).await, 1);
    let rental = world.rental(id).await;
    let order = OrderId(rental.order_id.unwrap());
    let placed = world.find(order).await;
    assert_eq!(placed.receiver, address(99).to_string());
    assert_eq!(
        (placed.energy, placed.duration_s, placed.price_sun),
        (ENERGY, HOUR, PACKAGE)
    );

    let tx = world.claim(order).await;
    world.mine(&[landed(&tx)]).await;
    assert_eq!(world.waits_for(id).await, "order", "its block may still be taken back");
    world.solidify().await;
    assert_eq!(world.finalise().await, 1);
    assert_eq!(world.step(id).await.unwrap(), Step::Rests(RentalState::Delivered));
    assert_eq!(world.trx(HOUSE).await, 0);
    world.assert_sound().await;
    // what is delivered is neither sent back nor taken back
    let policy = world.rental_policy();
    for ruling in [RentalRuling::Return(&policy), RentalRuling::Close] {
        let refused = world.rule_rental(id, ruling).await;
        assert!(matches!(
            refused,
            Err(DomainError::RentalStanding(RentalState::Delivered))
        ));
    }
    let refused = world.rule("anna", &coin(1, to, PACKAGE), Ruling::Reverse).await;
    assert!(matches!(
        refused,
        Err(DomainError::RentalStanding(RentalState::Delivered))
    ));
}

#[tokio::test]
async fn the_memo_names_who_is_to_have_the_energy() {
    let world = World::new().await;
    let to = world.published().await;
    let memo = |n, memo: String| Transfer {
        memo: Some(memo),
        ..coin(n, to, PACKAGE)
    };
    let id = world.sent(&memo(1, format!("for {}", address(5)))).await;
    assert_eq!(world.waits_for(id).await, "order");
    assert_eq!(world.rental(id).await.receiver, Some(address(5).to_string()));
    let id = world.sent(&memo(2, format!("{} {}", address(5), address(6)))).await;
    assert_eq!(world.step(id).await.unwrap(), Step::Rests(RentalState::Held));
    assert_eq!(
        world.held(id).await,
        (Some("bad_memo".into()), Some("sender_unknown".into()))
    );
    // an address of ours takes no energy: the money waits
    world.wallet(7, STAKE).await;
    let id = world.sent(&memo(3, address(193).to_string())).await;
    assert_eq!(world.step(id).await.unwrap(), Step::Rests(RentalState::Held));
    assert_eq!(world.held(id).await.0, Some("receiver_is_supplier".into()));
}

#[tokio::test]
async fn what_buys_nothing_goes_back_to_a_customers_own_address_once() {
    let world = World::new().await;
    let to = world.published().await;
    world.treasury(9, 100 * TRX, 0).await;
    world.sender_is_known(ANNA).await;
    let id = world.sent(&coin(1, to, 2 * TRX)).await;
    assert_eq!(world.waits_for(id).await, "payout");
    assert_eq!(world.waits_for(id).await, "payout");
    assert_eq!(world.count("payouts").await, 1);
    assert_eq!(world.trx(HOUSE).await, 0, "it is set aside");
    let rental = world.rental(id).await;
    assert_eq!(
        (rental.state, rental.reason_code.as_deref()),
        (RentalState::Returning, Some("no_package"))
    );
    let payout = PayoutId(rental.payout_id.unwrap());
    let row = domain::payouts::find(&world.api, payout).await.unwrap();
    assert_eq!((row.state, row.amount), (PayoutState::Approved, 2 * TRX));
    assert_eq!(row.to_address, address(99).to_string());

    let tx = world.pay(payout).await.unwrap();
    world.mine(&[landed(&tx)]).await;
    assert_eq!(world.waits_for(id).await, "payout", "its block may still be taken back");
    world.solidify().await;
    world.finalise().await;
    assert_eq!(world.step(id).await.unwrap(), Step::Rests(RentalState::Returned));
    world.assert_sound().await;
}

#[tokio::test]
async fn what_might_be_lost_on_its_way_back_waits_for_an_operator() {
    let world = World::new().await;
    let to = world.published().await;
    let unknown = world.sent(&coin(1, to, 2 * TRX)).await;
    assert_eq!(world.step(unknown).await.unwrap(), Step::Rests(RentalState::Held));
    assert_eq!(
        world.held(unknown).await,
        (Some("no_package".into()), Some("sender_unknown".into()))
    );
    assert_eq!(world.open().await, [format!("rentals.held rental:{unknown}")]);
    assert_eq!(world.trx(HOUSE).await, 2 * TRX);

    world.sender_is_known(ANNA).await;
    let small = world.sent(&coin(2, to, TRX - 1)).await;
    world.step(small).await.unwrap();
    assert_eq!(world.held(small).await.1.as_deref(), Some("below_minimum"));
    // an address that two customers give as theirs is an exchange's
    world.sender_is_known(8).await;
    let shared = world.sent(&coin(3, to, 2 * TRX)).await;
    world.step(shared).await.unwrap();
    assert_eq!(world.held(shared).await.1.as_deref(), Some("sender_unknown"));

    let policy = world.rental_policy();
    assert_eq!(
        world.rule_rental(unknown, RentalRuling::Return(&policy)).await.unwrap(),
        RentalState::Returning
    );
    assert!(world.rule_rental(unknown, RentalRuling::Return(&policy)).await.is_err());
    assert!(world.has_job("deposits.rent", unknown).await);
    let payout = PayoutId(world.rental(unknown).await.payout_id.unwrap());
    // one that is rejected is held again, and can be sent again
    world.decide(payout, Decision::Reject, "operator:bob").await.unwrap();
    assert_eq!(world.step(unknown).await.unwrap(), Step::Rests(RentalState::Held));
    assert_eq!(world.held(unknown).await.1.as_deref(), Some("payout_rejected"));
    assert_eq!(
        world.rule_rental(unknown, RentalRuling::Return(&policy)).await.unwrap(),
        RentalState::Returning
    );
    assert_eq!(
        world.rule_rental(small, RentalRuling::Close).await.unwrap(),
        RentalState::Closed
    );
    assert_eq!(world.open().await, [format!("rentals.held rental:{shared}")]);
    // what is held may be taken back from the house's customer, which closes it
    let reversed = world.rule("anna", &coin(3, to, 2 * TRX), Ruling::Reverse).await;
    assert_eq!(reversed.unwrap().transfer.state, TransferState::Reversed);
    assert_eq!(world.rental(shared).await.state, RentalState::Closed);
    world.assert_sound().await;
}

#[tokio::test]
async fn an_order_that_is_not_delivered_is_paid_back() {
    let world = World::new().await;
    let to = world.published().await;
    world.sender_is_known(ANNA).await;
    let id = world.sent(&coin(1, to, PACKAGE)).await;
    assert_eq!(world.waits_for(id).await, "order");
    let order = OrderId(world.rental(id).await.order_id.unwrap());
    cancel_by_user(&world.api, &world.ids, order, "operator:anna", world.now())
        .await
        .unwrap();
    assert_eq!(world.state(order).await, OrderState::Cancelled);
    assert_eq!(world.waits_for(id).await, "payout");
    assert_eq!(world.rental(id).await.order_id, Some(order.0));
    assert_eq!(world.trx(HOUSE).await, 0);
    world.assert_sound().await;
}

#[tokio::test]
async fn while_orders_or_payouts_are_stopped_or_beyond_a_limit_it_waits() {
    let world = World::new().await;
    let to = world.published().await;
    world.sender_is_known(ANNA).await;
    throw(&world, Switch::MAINTENANCE, true).await;
    let bought = world.sent(&coin(1, to, PACKAGE)).await;
    assert_eq!(world.waits_for(bought).await, "maintenance");
    throw(&world, Switch::MAINTENANCE, false).await;
    assert_eq!(world.waits_for(bought).await, "order");

    throw(&world, Switch::PAYOUTS, true).await;
    let back = world.sent(&coin(2, to, 2 * TRX)).await;
    assert_eq!(world.waits_for(back).await, "payouts_stopped");
    throw(&world, Switch::PAYOUTS, false).await;
    // all payouts of an hour together may be 20; above 10 somebody has to agree
    let large = world.sent(&coin(3, to, 19 * TRX)).await;
    assert_eq!(world.waits_for(large).await, "payout");
    let payout = PayoutId(world.rental(large).await.payout_id.unwrap());
    let row = domain::payouts::find(&world.api, payout).await.unwrap();
    assert_eq!(
        (row.state, row.requested_by.as_str()),
        (PayoutState::Requested, "worker")
    );
    assert_eq!(world.waits_for(back).await, "payout_limit");
    let order = OrderId(world.rental(bought).await.order_id.unwrap());
    cancel_by_user(&world.api, &world.ids, order, "operator:anna", world.now())
        .await
        .unwrap();
    world.clock.advance_seconds(3_601);
    assert_eq!(world.waits_for(back).await, "payout");
    world.assert_sound().await;
}

#[tokio::test]
async fn only_coin_that_is_wanted_is_taken_and_blocked_senders_are_held() {
    let world = World::new().await;
    let to = world.published().await;
    let tokens = token(1, 0, to, PACKAGE);
    world.sent(&tokens).await;
    assert_eq!(
        world.standing(&tokens).await,
        (TransferState::Held, Some(TransferKind::Unmatched))
    );
    let blocked = Transfer {
        from: address(66),
        ..coin(2, to, PACKAGE)
    };
    world.sent(&blocked).await;
    assert_eq!(world.standing(&blocked).await.1, Some(TransferKind::BlockedSender));
    // switched off: nothing is sold, and nothing is lost
    let late = coin(3, to, PACKAGE);
    world.settle(std::slice::from_ref(&late)).await;
    assert_eq!(
        world.standing(&late).await,
        (TransferState::Held, Some(TransferKind::Unmatched))
    );
    assert_eq!(world.count("rentals").await, 0);
    let refused = publish(
        &world.worker,
        &world.ids,
        &RentalPolicy {
            address: world.annas().await.to_string(),
            ..world.rental_policy()
        },
        world.now(),
    )
    .await;
    assert!(matches!(refused, Err(DomainError::Broken(_))));
    let unknown = RentalPolicy {
        house: House {
            user: UserId(HOUSE),
            api_key: ApiKeyId(world.ids.uuid()),
        },
        ..world.rental_policy()
    };
    let refused = publish(&world.worker, &world.ids, &unknown, world.now()).await;
    assert!(
        matches!(refused, Err(DomainError::NotFound(_))),
        "a worker does not start so"
    );
}

#[tokio::test]
async fn coin_that_came_before_the_address_was_published_buys_nothing() {
    let world = World::new().await;
    world.clock.advance_seconds(3_000);
    let to = world.published().await;
    let early = coin(1, to, PACKAGE);
    world.sent(&early).await;
    assert_eq!(
        world.standing(&early).await,
        (TransferState::Held, Some(TransferKind::Unmatched))
    );
    assert_eq!(world.count("rentals").await, 0);
    assert_eq!(world.trx(HOUSE).await, 0);
}

#[tokio::test]
async fn a_lost_job_comes_back_and_what_is_spent_otherwise_is_found() {
    let world = World::new().await;
    let to = world.published().await;
    let id = world.sent(&coin(1, to, PACKAGE)).await;
    world.drain_jobs().await;
    world.reconcile().await;
    assert!(world.has_job("deposits.rent", id).await);
    let spent = Adjustment {
        reference: "by mistake",
        user: UserId(HOUSE),
        asset: Asset::Trx,
        amount: sun(1),
        direction: Direction::Debit,
        note: "by mistake",
        actor: "operator:anna",
        at: world.now(),
    };
    domain::users::adjust(&world.api, &spent).await.unwrap();
    world.clock.advance_seconds(2 * 3_600 + 1);
    world.reconcile().await;
    let findings = world.open().await;
    assert!(
        findings.contains(&format!("rentals.short user:{HOUSE}")),
        "{findings:?}"
    );
    assert!(findings.contains(&format!("rentals.stuck rental:{id}")), "{findings:?}");
}

#[tokio::test]
async fn the_database_refuses_to_give_back_what_is_bought_or_on_its_way() {
    let world = World::new().await;
    let to = world.published().await;
    world.sender_is_known(ANNA).await;
    let bought = world.sent(&coin(1, to, PACKAGE)).await;
    world.waits_for(bought).await;
    let going = world.sent(&coin(2, to, 2 * TRX)).await;
    world.waits_for(going).await;
    let payout = world.rental(going).await.payout_id.unwrap();
    for (sql, refusal) in [
        (
            format!(
                "UPDATE rentals SET state = 'held', reason_code = 'x', held_code = 'x' WHERE transfer_id = '{bought}'"
            ),
            "the order of this rental stands",
        ),
        (
            format!(
                "UPDATE rentals SET state = 'returning', reason_code = 'x', payout_id = '{payout}' WHERE transfer_id = '{bought}'"
            ),
            "the order of this rental stands",
        ),
        (
            format!("UPDATE rentals SET state = 'held', held_code = 'x' WHERE transfer_id = '{going}'"),
            "this rental is being paid back",
        ),
        (
            format!("UPDATE rentals SET state = 'delivered' WHERE transfer_id = '{going}'"),
            "is no arrow",
        ),
        (
            format!("UPDATE rentals SET amount_sun = 1 WHERE transfer_id = '{bought}'"),
            "immutable",
        ),
        (format!("DELETE FROM rentals WHERE transfer_id = '{bought}'"), "rentals"),
    ] {
        let refused = world.db.try_sql(&sql).await.unwrap_err().to_string();
        assert!(refused.contains(refusal), "{sql}: {refused}");
    }
}
