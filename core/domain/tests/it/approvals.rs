//! Four eyes: who counts as one person, and how much one may have waiting.

use access::PermissionSet;
use chrono::Duration;
use db::models::{Approval, ApprovalState};
use domain::DomainError;
use domain::api_keys::{self, NewKey, create_once, rotate_once, set_signing_once};
use domain::operations::{
    ApprovalPolicy, Done, Instruction, Mark, Verdict, Wanted, WantedAdjustment, ask, decide_approval,
};
use domain::operators::{self, By, NewOperator, Reset};
use domain::pricing::Band;
use domain::principals::Principal;
use domain::runtime_settings::Values;
use futures::future::join_all;
use kernel::{Amount, ApiKeyId, Asset, IdGen};
use switchyard_domain as domain;
use uuid::Uuid;

use crate::world::{ANNA, World};

const LIVES: Duration = Duration::hours(1);

fn policy(open_max: i64) -> ApprovalPolicy {
    ApprovalPolicy::new((Amount::ZERO, Amount::ZERO), [true; 3], (LIVES, open_max))
}

/// Every setting is good.
#[expect(clippy::unnecessary_wraps, reason = "a judge may refuse")]
fn judge(values: &Values) -> Result<Values, Vec<(String, String)>> {
    Ok(values.clone())
}

fn principal(id: Uuid, session: Option<Uuid>) -> Principal {
    Principal {
        key: ApiKeyId(id),
        name: "somebody".to_owned(),
        permissions: PermissionSet::all(),
        rate_limit_per_minute: 60,
        works_until: None,
        allowed_from: Vec::new(),
        session,
        signing: Vec::new(),
    }
}

fn instruction(who: &Principal, mark: Option<Mark>) -> Instruction {
    Instruction {
        actor: who.actor(),
        name: who.name.clone(),
        reason: Some("why not".to_owned()),
        mark,
        dry_run: false,
    }
}

impl World {
    pub(crate) async fn operator(&self, name: &str) -> Principal {
        self.operator_by(&By::command("test"), name).await
    }

    async fn operator_by(&self, by: &By, name: &str) -> Principal {
        let email = format!("{name}@example.org");
        let new = NewOperator {
            email: &email,
            name,
            roles: &[],
        };
        let made = operators::create(&self.api, &self.ids, by, (new, None), self.now());
        let id = made.await.unwrap().operator.id;
        principal(id, Some(id))
    }

    fn random(&self) -> [u8; 64] {
        let mut random = [9; 64];
        random[..16].copy_from_slice(self.ids.uuid().as_bytes());
        random
    }

    /// A key that he makes, or that a command does.
    async fn key_by(&self, by: Option<&Principal>) -> Principal {
        let scopes = ["balances:write".to_owned()];
        let (new, random, now) = (NewKey::anywhere("bot", &scopes, 60), self.random(), self.now());
        let id = match by {
            Some(by) => {
                let (by, mark) = (By::principal(by), self.fresh_mark());
                let made = create_once(&self.api, &self.ids, (&by, &mark), (&new, &random), now);
                made.await.unwrap().0
            }
            None => {
                let made = api_keys::create(&self.worker, &self.ids, &new, &random, now);
                made.await.unwrap().id
            }
        };
        principal(id.0, None)
    }

    async fn rotate_by(&self, by: &Principal, key: &Principal) {
        let (by, mark, random) = (By::principal(by), self.fresh_mark(), self.random());
        let what = (key.key, &random, Duration::zero());
        let rotated = rotate_once(&self.api, &self.ids, (&by, &mark), what, self.now());
        assert!(rotated.await.unwrap().is_some());
    }

    async fn sign_by(&self, by: &Principal, key: &Principal) {
        let (by, mark, sealed) = (By::principal(by), self.fresh_mark(), [5_u8; 60]);
        let what = (key.key, &sealed[..], Duration::zero());
        let set = set_signing_once(&self.api, &self.ids, (&by, &mark), what, self.now());
        assert!(set.await.unwrap());
    }

    async fn ask_as(&self, how: &Instruction, policy: &ApprovalPolicy) -> Result<Uuid, DomainError> {
        let wanted = Wanted::Adjust(WantedAdjustment {
            reference: self.ids.uuid().to_string(),
            user: ANNA,
            asset: Asset::Trx,
            amount: Amount::from_minor(1).unwrap(),
            credit: true,
            note: "deposit: invoice 7".to_owned(),
        });
        self.ask_for(&wanted, how, policy).await
    }

    async fn ask_for(&self, wanted: &Wanted, how: &Instruction, policy: &ApprovalPolicy) -> Result<Uuid, DomainError> {
        let asked = ask(&self.api, &self.ids, (how, policy), (wanted, None), &judge, self.now()).await;
        asked.map(|(approval, _)| approval.id)
    }

    async fn asked_by(&self, who: &Principal) -> Uuid {
        self.ask_as(&instruction(who, None), &policy(100)).await.unwrap()
    }

    async fn decide_on(&self, how: &Instruction, id: Uuid, verdict: Verdict) -> Result<(Approval, Done), DomainError> {
        decide_approval(&self.api, &self.ids, how, (id, verdict), &judge, self.now()).await
    }

    async fn agrees(&self, who: &Principal, id: Uuid) {
        let (approval, _) = self
            .decide_on(&instruction(who, None), id, Verdict::Approve)
            .await
            .unwrap();
        assert_eq!(approval.state, ApprovalState::Approved);
    }

    /// He may be who asked, and the approval stays open.
    async fn may_not_agree(&self, who: &Principal, id: Uuid) {
        let refused = self.decide_on(&instruction(who, None), id, Verdict::Approve).await;
        assert!(matches!(refused, Err(DomainError::OwnKey)), "{refused:?}");
        assert_eq!(
            self.count(&format!("approvals WHERE id = '{id}' AND state = 'open'"))
                .await,
            1
        );
    }
}

#[tokio::test]
async fn who_knows_a_key_is_one_person_with_it() {
    let world = World::new().await;
    let (anna, ben) = (world.operator("anna").await, world.operator("ben").await);
    let (key, second) = (world.key_by(Some(&anna)).await, world.key_by(Some(&anna)).await);
    let made_by_key = world.key_by(Some(&key)).await;
    for (asker, decider) in [
        (&key, &anna),
        (&anna, &key),
        (&key, &second),
        (&second, &key),
        (&made_by_key, &anna),
        (&anna, &made_by_key),
        (&made_by_key, &key),
        (&key, &made_by_key),
        (&made_by_key, &second),
    ] {
        let id = world.asked_by(asker).await;
        world.may_not_agree(decider, id).await;
        world.agrees(&ben, id).await;
    }
    for asker in [&anna, &ben, &key] {
        let id = world.asked_by(asker).await;
        let own = world.decide_on(&instruction(asker, None), id, Verdict::Approve).await;
        assert!(matches!(own, Err(DomainError::OwnProposal)), "{own:?}");
    }
    // whoever asked may take it back, with the key or without
    let id = world.asked_by(&key).await;
    let (back, _) = world
        .decide_on(&instruction(&anna, None), id, Verdict::Reject)
        .await
        .unwrap();
    assert_eq!(back.state, ApprovalState::Rejected);
}

#[tokio::test]
async fn others_are_others() {
    let world = World::new().await;
    let (anna, ben) = (world.operator("anna").await, world.operator("ben").await);
    let (hers, his) = (world.key_by(Some(&anna)).await, world.key_by(Some(&ben)).await);
    let (first, other) = (world.key_by(None).await, world.key_by(None).await);
    for (asker, decider) in [
        (&anna, &ben),
        (&hers, &ben),
        (&anna, &his),
        (&hers, &his),
        (&first, &anna),
        (&anna, &first),
        (&first, &hers),
        (&first, &other),
    ] {
        let id = world.asked_by(asker).await;
        world.agrees(decider, id).await;
    }
}

#[tokio::test]
async fn a_rotation_makes_a_key_known_to_one_more() {
    let world = World::new().await;
    let (anna, ben, carl) = (
        world.operator("anna").await,
        world.operator("ben").await,
        world.operator("carl").await,
    );
    let key = world.key_by(None).await;
    let before = world.asked_by(&key).await;
    world.rotate_by(&anna, &key).await;
    // between the request and the decision: whoever could ask with it now is not told from who did
    world.may_not_agree(&anna, before).await;
    world.agrees(&ben, before).await;
    let by_anna = world.asked_by(&key).await;
    world.rotate_by(&ben, &key).await;
    // her secret is over; what it asked for is hers
    world.may_not_agree(&anna, by_anna).await;
    world.may_not_agree(&ben, by_anna).await;
    world.agrees(&carl, by_anna).await;
    let of_ben = world.asked_by(&ben).await;
    world.may_not_agree(&key, of_ben).await;
    world.agrees(&carl, of_ben).await;

    // rotated by a key: whoever knows that one knows this one
    let (tool, rotated) = (world.key_by(Some(&carl)).await, world.key_by(None).await);
    world.rotate_by(&tool, &rotated).await;
    let id = world.asked_by(&rotated).await;
    world.may_not_agree(&tool, id).await;
    world.may_not_agree(&carl, id).await;
    world.agrees(&anna, id).await;
    // by itself: nobody is added
    world.rotate_by(&rotated, &rotated).await;
    let holders = format!("api_key_holders WHERE api_key_id = '{}'", rotated.key);
    assert_eq!(world.count(&holders).await, 2);
}

#[tokio::test]
async fn a_signing_secret_is_half_a_key() {
    let world = World::new().await;
    let (anna, ben) = (world.operator("anna").await, world.operator("ben").await);
    let key = world.key_by(None).await;
    let id = world.asked_by(&key).await;
    world.sign_by(&anna, &key).await;
    world.may_not_agree(&anna, id).await;
    world.agrees(&ben, id).await;
}

#[tokio::test]
async fn a_decision_is_told_again_whatever_became_of_the_keys() {
    let world = World::new().await;
    let (anna, ben) = (world.operator("anna").await, world.operator("ben").await);
    let key = world.key_by(Some(&anna)).await;
    let id = world.asked_by(&key).await;
    let how = instruction(&ben, Some(world.fresh_mark()));
    let (first, done) = world.decide_on(&how, id, Verdict::Approve).await.unwrap();
    world.rotate_by(&ben, &key).await;
    let (again, replayed) = world.decide_on(&how, id, Verdict::Approve).await.unwrap();
    assert_eq!((done.replayed, replayed.replayed, again), (false, true, first));
    let (rotated, mark) = (By::principal(&anna), world.fresh_mark());
    let (random, now) = (world.random(), world.now());
    for new in [true, false] {
        let what = (key.key, &random, Duration::zero());
        let clear = rotate_once(&world.api, &world.ids, (&rotated, &mark), what, now).await;
        assert_eq!(clear.unwrap().is_some(), new);
    }
    let holders = format!("api_key_holders WHERE api_key_id = '{}'", key.key);
    assert_eq!(world.count(&holders).await, 2);
}

#[tokio::test]
async fn who_knew_a_key_is_never_forgotten() {
    let world = World::new().await;
    let anna = world.operator("anna").await;
    world.key_by(Some(&anna)).await;
    for change in [
        "UPDATE api_key_holders SET since = now()",
        "DELETE FROM api_key_holders",
        "TRUNCATE api_key_holders",
    ] {
        assert!(world.db.try_sql(change).await.is_err(), "{change}");
    }
    assert_eq!(world.count("api_key_holders").await, 1);
}

#[tokio::test]
async fn who_was_shown_somebodys_password_may_be_him() {
    let world = World::new().await;
    let (anna, ben) = (world.operator("anna").await, world.operator("ben").await);
    let by_anna = By::principal(&anna);
    let (carl, dora) = (
        world.operator_by(&by_anna, "carl").await,
        world.operator_by(&by_anna, "dora").await,
    );
    let (his, hers) = (world.key_by(Some(&carl)).await, world.key_by(Some(&anna)).await);
    for (asker, decider) in [
        (&hers, &dora),
        (&dora, &hers),
        (&hers, &his),
        (&his, &hers),
        (&anna, &carl),
        (&carl, &anna),
        (&anna, &dora),
        (&anna, &his),
        (&his, &anna),
    ] {
        let id = world.asked_by(asker).await;
        world.may_not_agree(decider, id).await;
        world.agrees(&ben, id).await;
    }
    // whom she made are others to each other
    for (asker, decider) in [(&carl, &dora), (&dora, &carl), (&his, &dora), (&ben, &carl)] {
        let id = world.asked_by(asker).await;
        world.agrees(decider, id).await;
    }
    // no password is shown with a second factor that is taken away, and one is with a reset of it
    let reset = async |what: Reset| {
        let what = (ben.key.0, what, None);
        let made = operators::reset(&world.api, &world.ids, &by_anna, what, world.now()).await;
        made.unwrap();
    };
    reset(Reset::SecondFactor).await;
    let id = world.asked_by(&anna).await;
    world.agrees(&ben, id).await;
    let before = world.asked_by(&anna).await;
    for _ in 0..2 {
        reset(Reset::Password).await;
    }
    world.may_not_agree(&ben, before).await;
    let of_ben = world.asked_by(&ben).await;
    world.may_not_agree(&anna, of_ben).await;
    world.agrees(&carl, of_ben).await;
    for change in [
        "UPDATE operator_makers SET since = now()",
        "DELETE FROM operator_makers",
    ] {
        assert!(world.db.try_sql(change).await.is_err(), "{change}");
    }
    assert_eq!(world.count("operator_makers").await, 3);
}

#[tokio::test]
async fn what_one_asks_for_is_bounded_until_it_ends() {
    let world = World::new().await;
    let (anna, ben) = (world.operator("anna").await, world.operator("ben").await);
    let (by_anna, three) = (instruction(&anna, None), policy(3));
    let marked = instruction(&anna, Some(world.fresh_mark()));
    let first = world.ask_as(&marked, &three).await.unwrap();
    let mut open = vec![first];
    for _ in 0..2 {
        open.push(world.ask_as(&by_anna, &three).await.unwrap());
    }
    let full = async || {
        let refused = world.ask_as(&by_anna, &three).await;
        assert!(
            matches!(refused, Err(DomainError::ApprovalLimit { max: 3 })),
            "{refused:?}"
        );
    };
    full().await;
    // the same request is told what it asked for, and others have room of their own
    assert_eq!(world.ask_as(&marked, &three).await.unwrap(), first);
    world.ask_as(&instruction(&ben, None), &three).await.unwrap();
    // one that was refused did not use up its mark
    let later = instruction(&anna, Some(world.fresh_mark()));
    assert!(world.ask_as(&later, &three).await.is_err());
    world.agrees(&ben, first).await;
    open[0] = world.ask_as(&later, &three).await.unwrap();
    full().await;
    world.decide_on(&by_anna, open[1], Verdict::Reject).await.unwrap();
    open[1] = world.ask_as(&by_anna, &three).await.unwrap();
    full().await;
    // what nobody decided in time is over before anybody comes by
    world.clock.advance_seconds(LIVES.num_seconds());
    for _ in 0..3 {
        world.ask_as(&by_anna, &three).await.unwrap();
    }
    full().await;
}

#[tokio::test]
async fn what_is_over_stands_in_the_way_of_nothing() {
    let world = World::new().await;
    let (anna, ben) = (world.operator("anna").await, world.operator("ben").await);
    let band = Band {
        energy_min: 1,
        energy_max: 1_000_000,
        duration_min_s: 60,
        duration_max_s: 86_400,
        price_millisun_per_energy: 40_000,
    };
    let (wanted, by_anna, rules) = (
        Wanted::Publish { bands: vec![band] },
        instruction(&anna, None),
        policy(100),
    );
    let ask = async || world.ask_for(&wanted, &by_anna, &rules).await;
    let first = ask().await.unwrap();
    world.clock.advance_seconds(LIVES.num_seconds() - 1);
    assert!(matches!(ask().await, Err(DomainError::ApprovalOpen)));
    world.clock.advance_seconds(1);
    // nobody has come by to end it
    let second = ask().await.unwrap();
    let ended = format!(
        "approvals WHERE id = '{first}' AND state = 'expired' AND ended_at = '{}' AND decided_by IS NULL",
        world.now().to_rfc3339()
    );
    assert_eq!(world.count(&ended).await, 1);
    for verdict in [Verdict::Approve, Verdict::Reject] {
        let late = world.decide_on(&instruction(&ben, None), first, verdict).await;
        assert!(
            matches!(late, Err(DomainError::ApprovalDecided(ApprovalState::Expired))),
            "{late:?}"
        );
    }
    assert!(matches!(ask().await, Err(DomainError::ApprovalOpen)));
    world.agrees(&ben, second).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_requests_at_once_as_many_wait_as_there_is_room_for() {
    let world = World::new().await;
    let anna = world.operator("anna").await;
    let (by_anna, five) = (instruction(&anna, None), policy(5));
    let asked = join_all((0..20).map(|_| world.ask_as(&by_anna, &five))).await;
    assert_eq!(asked.iter().filter(|asked| asked.is_ok()).count(), 5);
    for refused in asked.iter().filter(|asked| asked.is_err()) {
        assert!(
            matches!(refused, Err(DomainError::ApprovalLimit { max: 5 })),
            "{refused:?}"
        );
    }
    assert_eq!(world.count("approvals").await, 5);
}
