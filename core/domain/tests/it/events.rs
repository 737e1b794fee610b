//! Events are written with their cause, for those who asked, and with the rights of the process that causes them.

use access::PermissionSet;
use chrono::Duration;
use db::models::{DeliveryState, EndpointChange, EventType, OrderState};
use db::{acquire, run_tx};
use diesel_async::SimpleAsyncConnection;
use domain::DomainError;
use domain::events::{NewEvent, emit_many_in_tx};
use domain::operations::{Instruction, Mark, change_webhook};
use domain::orders::{cancel_by_user, cancel_past_deadline, fail_in_tx};
use domain::webhooks::{self, FreshSecret, Register, SendResult, TargetPolicy, TestSent};
use kernel::{IdGen, UserId, WebhookId};
use serde_json::json;
use switchyard_domain as domain;
use testkit::Role;
use vault::ImportPublicKey;

use crate::world::{STAKE, World};

const WORKERS: &str = "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a";

impl World {
    fn mark(&self, key: &str) -> Mark {
        Mark {
            api_key: self.key,
            key: key.to_owned(),
            request_sha256: [1; 32],
        }
    }

    fn secret(&self) -> FreshSecret {
        let workers: ImportPublicKey = WORKERS.parse().unwrap();
        FreshSecret::generate(&self.ids, &workers).unwrap()
    }

    pub(crate) async fn listen(&self, event_types: &[EventType]) -> WebhookId {
        let key = self.ids.uuid().to_string();
        let mark = self.mark(&key);
        let request = Register {
            url: "https://shop.example/hook",
            description: None,
            event_types,
            created_by: "api_key:bot",
            sees: PermissionSet::all(),
            mark: &mark,
        };
        let policy = TargetPolicy::default();
        let registered = webhooks::register(&self.api, &self.ids, policy, &request, &self.secret(), self.now()).await;
        WebhookId(registered.unwrap().endpoint.id)
    }

    /// Types of what an endpoint is to be told, in order.
    pub(crate) async fn told(&self, endpoint: WebhookId) -> Vec<String> {
        let sql = "SELECT d.event_type AS word FROM webhook_deliveries d JOIN events e ON e.id = d.event_id \
                   AND e.event_type = d.event_type WHERE d.endpoint_id";
        self.words(&format!("{sql} = '{endpoint}' ORDER BY d.event_id")).await
    }

    async fn switch(&self, endpoint: WebhookId, enabled: bool) {
        let instruction = Instruction {
            actor: "operator:anna".into(),
            name: "anna".into(),
            reason: None,
            mark: None,
            dry_run: false,
        };
        let change = EndpointChange {
            enabled: Some(enabled),
            disabled_reason: Some((!enabled).then(|| "by_hand".to_owned())),
            ..EndpointChange::default()
        };
        let changed = change_webhook(&self.worker, &self.ids, &instruction, (endpoint, &change), self.now());
        changed.await.unwrap();
    }
}

#[tokio::test]
async fn what_happens_is_kept_for_who_reads_it_himself() {
    let world = World::new().await;
    world.wallet(1, STAKE).await;
    world.deliver(1).await;
    assert_eq!(world.count("events").await, 2, "accepted, and delivered");
    assert_eq!(world.count("webhook_deliveries").await, 0);
    world.assert_sound().await;
}

#[tokio::test]
async fn each_end_of_an_order_is_told_to_those_who_asked() {
    let world = World::new().await;
    world.wallet(1, STAKE * 10).await;
    let all = world.listen(&[]).await;
    let some = world
        .listen(&[
            EventType::OrderRefunded,
            EventType::OrderSettled,
            EventType::OrderSettled,
        ])
        .await;

    let (delivered, _) = world.deliver(1).await;
    world.solidify().await;
    world.finalise().await;
    let withdrawn = world.order(2).await;
    cancel_by_user(&world.api, &world.ids, withdrawn, "api_key:bot", world.now())
        .await
        .unwrap();
    let refused = world.order(3).await;
    run_tx(&world.worker, "refuse", async |conn| {
        let (from, reason) = (OrderState::Pending, "receiver_is_contract");
        fail_in_tx(conn, &world.ids, refused, from, reason, world.now()).await
    })
    .await
    .unwrap();
    world.order(4).await;
    world.clock.advance_seconds(660);
    cancel_past_deadline(&world.worker, &world.ids, 10, world.now())
        .await
        .unwrap();

    let created = "order.created";
    assert_eq!(
        world.told(all).await,
        [
            created,
            "order.completed",
            "order.settled",
            created,
            "order.cancelled",
            created,
            "order.refunded",
            created,
            "order.cancelled"
        ]
    );
    assert_eq!(world.told(some).await, ["order.settled", "order.refunded"]);
    let of = |event_type: &str, field: &str| {
        format!(
            "SELECT coalesce(data->>'{field}', '-') AS word FROM events WHERE event_type = '{event_type}' ORDER BY id"
        )
    };
    assert_eq!(
        world.words(&of("order.cancelled", "reason")).await,
        ["cancelled_by_user", "deadline_passed"]
    );
    assert_eq!(world.words(&of("order.cancelled", "state")).await, ["cancelled"; 2]);
    assert_eq!(world.words(&of("order.refunded", "state")).await, ["refunded"]);
    assert_eq!(world.words(&of("order.completed", "id")).await, [delivered.to_string()]);
    let of_anna = "events WHERE subject_kind = 'order' AND user_id = 7 AND data->>'user_id' = '7' \
                   AND data->>'id' = subject_id";
    assert_eq!(world.count(of_anna).await, world.count("events").await);
    world.assert_sound().await;
}

#[tokio::test]
async fn the_disabled_and_the_removed_are_told_nothing_and_others_are() {
    let world = World::new().await;
    let (off, gone, on) = (
        world.listen(&[]).await,
        world.listen(&[]).await,
        world.listen(&[]).await,
    );
    world.switch(off, false).await;
    webhooks::remove(&world.api, gone, "api_key:bot", world.now())
        .await
        .unwrap();
    let again = webhooks::remove(&world.api, gone, "api_key:bot", world.now()).await;
    assert!(matches!(again, Err(DomainError::NotFound("webhook"))));
    world.order(1).await;
    assert_eq!(world.told(off).await, [""; 0]);
    assert_eq!(world.told(gone).await, [""; 0]);
    assert_eq!(world.told(on).await, ["order.created"]);
    assert_eq!(
        world
            .count(&format!("webhook_secrets WHERE endpoint_id = '{gone}'"))
            .await,
        0
    );

    world.switch(off, true).await;
    world.order(2).await;
    assert_eq!(world.told(off).await, ["order.created"]);
}

#[tokio::test]
async fn an_event_shares_the_fate_of_its_cause() {
    let world = World::new().await;
    let endpoint = world.listen(&[]).await;
    let event = |n: u8| NewEvent {
        event_type: EventType::DepositCredited,
        subject_kind: "deposit",
        subject_id: format!("d{n}"),
        user: Some(UserId(9)),
        data: json!({ "n": n }),
    };
    let events: Vec<NewEvent> = (0..100).map(event).collect();
    let emit = async |fails: bool| {
        run_tx(&world.worker, "emit", async |conn| {
            emit_many_in_tx(conn, &world.ids, &events, world.now()).await?;
            if fails {
                return Err(DomainError::NotFound("cause"));
            }
            Ok(())
        })
        .await
    };
    emit(true).await.unwrap_err();
    assert_eq!((world.count("events").await, world.told(endpoint).await.len()), (0, 0));
    emit(false).await.unwrap();
    assert_eq!(
        (world.count("events").await, world.told(endpoint).await.len()),
        (100, 100)
    );

    let owner = world.db.pool(Role::Owner);
    let mut conn = acquire(&owner).await.unwrap();
    for sql in ["UPDATE events SET data = '{}'", "TRUNCATE events CASCADE"] {
        conn.batch_execute(sql).await.unwrap_err();
    }
}

#[tokio::test]
async fn what_is_due_gets_one_job_and_a_lost_job_comes_back() {
    let world = World::new().await;
    let endpoint = world.listen(&[EventType::OrderCreated]).await;
    let wake = async || webhooks::wake_due(&world.worker, world.now()).await.unwrap().len();
    assert_eq!(wake().await, 0);
    world.order(1).await;
    world.order(2).await;
    assert_eq!(wake().await, 1);
    assert!(world.has_job("notify.deliver_webhook", endpoint).await);
    assert_eq!(wake().await, 0, "its job is there");
    world.db.sql("DELETE FROM jobs WHERE queue = 'notify'").await;
    assert_eq!(wake().await, 1, "its job was lost");
    world.db.sql("DELETE FROM jobs WHERE queue = 'notify'").await;
    world.switch(endpoint, false).await;
    assert_eq!(wake().await, 0, "it is disabled");
}

fn result(status: u16) -> SendResult {
    SendResult {
        status: Some(status),
        answer: Some("said".into()),
        error: None,
        retry_after: None,
        took: std::time::Duration::from_millis(5),
    }
}

#[tokio::test]
async fn two_runs_beside_each_other_count_a_send_once_and_old_messages_are_forgotten() {
    let world = World::new().await;
    let endpoint = world.listen(&[EventType::OrderCreated]).await;
    world.order(1).await;
    world.order(2).await;
    let take = async || {
        let work = webhooks::take_due(&world.worker, endpoint, 10, world.now())
            .await
            .unwrap();
        work.unwrap().due
    };
    let due = take().await;
    assert_eq!(due.len(), 2);
    let record = async |n: usize, status: u16| {
        let which = (endpoint, &due[n]);
        webhooks::record(&world.worker, &world.ids, which, &result(status), world.now())
            .await
            .unwrap();
    };
    record(0, 500).await;
    record(0, 500).await;
    record(1, 200).await;
    record(1, 500).await;
    let messages = webhooks::deliveries_page(&world.api, endpoint, &Default::default(), None, 10)
        .await
        .unwrap();
    let found: Vec<_> = messages
        .iter()
        .map(|(message, attempts)| (message.state, message.attempts, attempts.len()))
        .collect();
    // newest first
    assert_eq!(
        found,
        [(DeliveryState::Delivered, 1, 2), (DeliveryState::Pending, 1, 2)]
    );
    assert_eq!(take().await, [], "the pause has begun");
    world.clock.advance_seconds(10);
    assert_eq!(take().await.len(), 1);

    let prune = async || {
        webhooks::prune(&world.worker, world.now(), 100, world.now())
            .await
            .unwrap()
    };
    world.clock.advance_seconds(86_400);
    assert_eq!(prune().await, 1, "the one that ended");
    assert_eq!(
        (world.count("webhook_attempts").await, world.count("events").await),
        (2, 2)
    );
    webhooks::remove(&world.api, endpoint, "api_key:bot", world.now())
        .await
        .unwrap();
    world.clock.advance_seconds(86_400);
    assert_eq!(prune().await, 1, "what waited for the endpoint that is gone");
}

#[tokio::test]
async fn marks_make_each_request_happen_once() {
    let world = World::new().await;
    let mark = world.mark("one");
    let register = async |url: &'static str, mark: &Mark| {
        let request = Register {
            url,
            description: Some("shop"),
            event_types: &[],
            created_by: "api_key:bot",
            sees: PermissionSet::all(),
            mark,
        };
        let policy = TargetPolicy::default();
        webhooks::register(&world.api, &world.ids, policy, &request, &world.secret(), world.now()).await
    };
    let first = register("https://shop.example", &mark).await.unwrap();
    let second = register("https://shop.example", &mark).await.unwrap();
    assert_eq!((first.replayed, second.replayed), (false, true));
    assert_eq!(first.endpoint, second.endpoint);
    assert_eq!(first.endpoint.url, "https://shop.example/");
    let other = Mark {
        request_sha256: [2; 32],
        ..mark.clone()
    };
    let reused = register("https://shop.example", &other).await;
    assert!(matches!(reused, Err(DomainError::IdempotencyMismatch)));
    let inside = register("https://169.254.169.254/", &world.mark("two")).await;
    assert!(matches!(inside, Err(DomainError::WebhookUrl(_))));

    let id = WebhookId(first.endpoint.id);
    let test = async |key: &str| {
        webhooks::send_test(&world.api, &world.ids, id, &world.mark(key), world.now())
            .await
            .unwrap()
    };
    let TestSent { event, .. } = test("test").await;
    let again = test("test").await;
    assert_eq!((again.event, again.replayed), (event, true));
    assert_eq!(world.told(id).await, ["webhook.test"]);

    for n in 1..5 {
        let (mark, secret) = (world.mark(&format!("rotate {n}")), world.secret());
        let rotate = async || {
            webhooks::rotate_secret(&world.api, id, &mark, &secret, world.now())
                .await
                .unwrap()
        };
        assert_eq!((rotate().await.replayed, rotate().await.replayed), (false, true));
        assert_eq!(world.count("webhook_secrets").await, 1 + n);
    }
    let sixth = webhooks::rotate_secret(&world.api, id, &world.mark("six"), &world.secret(), world.now()).await;
    assert!(matches!(sixth, Err(DomainError::TooMany(_))));
    world.clock.advance_seconds(webhooks::SECRET_OVERLAP.num_seconds() + 1);
    webhooks::prune(&world.worker, world.now() - Duration::days(30), 10, world.now())
        .await
        .unwrap();
    assert_eq!(world.count("webhook_secrets").await, 1, "the current one");
}
