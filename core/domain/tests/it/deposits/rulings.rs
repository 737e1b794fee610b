//! What operators decide about transfers: given to a deposit, and four eyes on much money.

use db::models::{DepositOrderState, EventType, ProposalState, TransferProposal};
use domain::DomainError;
use domain::deposits::{Placing, place_order};
use domain::operations::{Instruction, Ruled, Ruling, RulingPolicy, rule_transfer};

use super::*;
use crate::world::PRICE;

impl World {
    /// What an operator decides.
    pub(super) async fn rule_with(
        &self,
        name: &str,
        policy: &RulingPolicy,
        (transfer, ruling): (&Transfer, Ruling),
    ) -> Result<Ruled, DomainError> {
        let instruction = Instruction {
            actor: format!("operator:{name}"),
            name: name.to_owned(),
            reason: Some("she called".into()),
            mark: None,
            dry_run: false,
        };
        let id = self.row(transfer).await.id;
        rule_transfer(&self.api, &self.ids, (&instruction, policy), (id, ruling), self.now()).await
    }

    /// The same, where more than ten coins need another one.
    pub(super) async fn rule(&self, name: &str, transfer: &Transfer, ruling: Ruling) -> Result<Ruled, DomainError> {
        let limit = Amount::from_minor(10 * TRX).unwrap();
        let policy = RulingPolicy::new((limit, limit), Duration::hours(24), None);
        self.rule_with(name, &policy, (transfer, ruling)).await
    }

    /// A transfer to the shared address that nobody was asked for.
    async fn stray(&self, n: u32, amount: i64) -> Transfer {
        let sent = coin(n, address(51), amount);
        self.settle(std::slice::from_ref(&sent)).await;
        assert_eq!(self.standing(&sent).await.0, TransferState::Held);
        sent
    }

    async fn proposals(&self) -> Vec<String> {
        let sql = "SELECT concat_ws(' ', ruling, state, agreed_by) AS word FROM transfer_proposals ORDER BY id";
        self.words(sql).await
    }
}

#[tokio::test]
async fn what_is_given_to_a_deposit_counts_for_it_and_buys_its_order() {
    let world = World::new().await;
    let shared = world.pays_to(51, AddressKind::Shared, None).await;
    let deposit = world.announce_order(shared).await;
    let before = world.balance(Asset::Trx).await;
    let [less, rest] = [world.stray(1, PRICE - 5_000).await, world.stray(2, 5_000).await];
    for sent in [&less, &rest] {
        let ruled = world.rule("anna", sent, Ruling::Attach(deposit)).await.unwrap();
        assert_eq!(
            (ruled.transfer.state, ruled.transfer.deposit_id),
            (TransferState::Credited, Some(deposit))
        );
        assert_eq!(ruled.transfer.user_id, Some(ANNA));
        assert!(ruled.proposal.is_none());
    }
    let found = world.deposit(deposit).await;
    assert_eq!((found.state, found.received), (DepositState::Paid, PRICE));
    assert_eq!(world.balance(Asset::Trx).await, before + PRICE);
    assert!(world.has_job("deposits.place_order", deposit).await);
    let placed = place_order(&world.worker, &world.ids, deposit, Duration::minutes(10), world.now()).await;
    assert!(matches!(placed.unwrap(), Placing::Placed { .. }));
    assert_eq!(world.bought(deposit).await.state, DepositOrderState::Placed);

    let again = world.rule("anna", &rest, Ruling::Attach(deposit)).await;
    assert!(
        matches!(again, Err(DomainError::TransferStanding(TransferState::Credited))),
        "{again:?}"
    );
    let other = world.stray(3, TRX).await;
    let tokens = world.announce(shared, Asset::Usdt, Some(7)).await;
    let wrong = world.rule("anna", &other, Ruling::Attach(tokens)).await;
    assert!(matches!(wrong, Err(DomainError::DepositOfOthers)), "{wrong:?}");
    let none = world.rule("anna", &other, Ruling::Attach(world.ids.uuid())).await;
    assert!(matches!(none, Err(DomainError::NotFound("deposit"))), "{none:?}");
    assert_eq!(
        world.standing(&other).await.0,
        TransferState::Held,
        "nothing was lost by it"
    );
    world.assert_sound().await;
}

#[tokio::test]
async fn what_was_taken_back_buys_no_order_with_other_money() {
    let world = World::new().await;
    let to = world.annas().await;
    let deposit = world.announce_order(to).await;
    let all = world.listen(&[EventType::DepositOrderFailed]).await;
    let before = world.balance(Asset::Trx).await;
    let (wrong, twice) = (coin(1, to, PRICE), coin(2, to, PRICE));
    world.settle(&[wrong.clone(), twice.clone()]).await;
    assert!(world.has_job("deposits.place_order", deposit).await);
    world.rule("anna", &twice, Ruling::Reverse).await.unwrap();
    assert_eq!(world.deposit(deposit).await.received, PRICE);
    assert_eq!(
        world.bought(deposit).await.state,
        DepositOrderState::Waiting,
        "it is paid"
    );

    world.rule("anna", &wrong, Ruling::Reverse).await.unwrap();
    let bought = world.bought(deposit).await;
    assert_eq!(
        (bought.state, bought.reason_code.as_deref()),
        (DepositOrderState::Failed, Some("deposit_reversed"))
    );
    let found = world.deposit(deposit).await;
    assert_eq!((found.state, found.received), (DepositState::Paid, 0));
    let placed = place_order(&world.worker, &world.ids, deposit, Duration::minutes(10), world.now()).await;
    assert_eq!(placed.unwrap(), Placing::NothingToDo);
    assert_eq!(world.count("orders").await, 0);
    assert_eq!(world.balance(Asset::Trx).await, before);
    assert_eq!(world.told(all).await, ["deposit.order_failed"]);
    world.assert_sound().await;
}

#[tokio::test]
async fn what_was_taken_back_is_missing_again() {
    let world = World::new().await;
    let to = world.annas().await;
    let deposit = world.announce_order(to).await;
    let standing = async || {
        let found = world.deposit(deposit).await;
        (found.state, found.received)
    };
    let wrong = coin(1, to, PRICE - 5_000);
    world.settle(std::slice::from_ref(&wrong)).await;
    assert_eq!(standing().await, (DepositState::Partial, PRICE - 5_000));
    world.rule("anna", &wrong, Ruling::Reverse).await.unwrap();
    assert_eq!(standing().await, (DepositState::Partial, 0));
    world.settle(&[coin(2, to, 5_000)]).await;
    assert_eq!(standing().await, (DepositState::Partial, 5_000));
    assert_eq!(world.bought(deposit).await.state, DepositOrderState::Waiting);
    assert!(!world.has_job("deposits.place_order", deposit).await);
    world.settle(&[coin(3, to, PRICE - 5_000)]).await;
    assert_eq!(standing().await, (DepositState::Paid, PRICE));
    assert!(world.has_job("deposits.place_order", deposit).await);
    world.assert_sound().await;
}

#[tokio::test]
async fn much_money_is_given_to_a_user_by_two_operators_alone() {
    let world = World::new().await;
    world.pays_to(51, AddressKind::Shared, None).await;
    let before = world.balance(Asset::Trx).await;
    let (little, much) = (world.stray(1, 10 * TRX).await, world.stray(2, 10 * TRX + 1).await);
    let anna = Ruling::Credit(Some(UserId(ANNA)));
    assert!(world.rule("carol", &little, anna).await.unwrap().proposal.is_none());
    assert_eq!(world.balance(Asset::Trx).await, before + 10 * TRX);

    let first = world.rule("carol", &much, anna).await.unwrap();
    assert_eq!(first.transfer.state, TransferState::Held);
    assert_eq!(first.proposal.unwrap().user_id, Some(ANNA));
    let own = world.rule("carol", &much, anna).await;
    assert!(matches!(own, Err(DomainError::OwnProposal)), "{own:?}");
    // whoever wants something else begins anew
    let boris = Ruling::Credit(Some(UserId(8)));
    assert!(world.rule("dave", &much, boris).await.unwrap().proposal.is_some());
    assert!(world.rule("carol", &much, anna).await.unwrap().proposal.is_some());
    assert_eq!(world.balance(Asset::Trx).await, before + 10 * TRX, "nobody has agreed");
    // what waited too long is nobody's any more: it is wanted anew
    world.clock.advance_seconds(86_400);
    assert!(world.rule("dave", &much, anna).await.unwrap().proposal.is_some());
    assert!(world.rule("dave", &much, anna).await.is_err());
    let done = world.rule("carol", &much, anna).await.unwrap();
    assert_eq!(done.transfer.state, TransferState::Credited);
    assert_eq!(world.balance(Asset::Trx).await, before + 20 * TRX + 1);
    assert_eq!(
        world.proposals().await,
        [
            "credit replaced",
            "credit replaced",
            "credit replaced",
            "credit agreed operator:carol"
        ]
    );

    // the same for taking it back, whoever had given it
    assert!(
        world
            .rule("dave", &much, Ruling::Reverse)
            .await
            .unwrap()
            .proposal
            .is_some()
    );
    let taken = world.rule("erin", &much, Ruling::Reverse).await.unwrap();
    assert_eq!(taken.transfer.state, TransferState::Reversed);
    assert_eq!(world.balance(Asset::Trx).await, before + 10 * TRX);
    let actions = "SELECT string_agg(action || ' ' || actor_name, ', ' ORDER BY id) AS word FROM operator_actions";
    assert_eq!(
        world.word(actions).await,
        "deposits.credit carol, deposits.propose carol, deposits.propose dave, deposits.propose carol, \
         deposits.propose dave, deposits.credit carol, deposits.propose dave, deposits.reverse erin"
    );
    world.assert_sound().await;
}

#[tokio::test]
async fn letting_it_be_needs_nobody_else_and_ends_what_was_proposed() {
    let world = World::new().await;
    world.pays_to(51, AddressKind::Shared, None).await;
    let much = world.stray(1, 11 * TRX).await;
    world.rule("carol", &much, Ruling::Refunded).await.unwrap();
    let ignored = world.rule("carol", &much, Ruling::Ignore).await.unwrap();
    assert_eq!(
        (ignored.transfer.state, ignored.proposal),
        (TransferState::Ignored, None)
    );
    assert_eq!(world.proposals().await, ["refunded replaced"]);
    world.assert_sound().await;
}

#[tokio::test]
async fn the_database_refuses_ones_own_agreement() {
    let world = World::new().await;
    world.pays_to(51, AddressKind::Shared, None).await;
    let much = world.stray(1, 11 * TRX).await;
    let anna = Ruling::Credit(Some(UserId(ANNA)));
    let proposal = world.rule("carol", &much, anna).await.unwrap().proposal.unwrap();
    let mut conn = acquire(&world.api).await.unwrap();
    let agree = (ProposalState::Agreed, Some("operator:carol"));
    let refused = TransferProposal::end(&mut conn, proposal.id, agree, world.now()).await;
    assert!(
        refused
            .unwrap_err()
            .to_string()
            .contains("transfer_proposals_four_eyes")
    );
}
