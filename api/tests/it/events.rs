//! The stream of events: in an order that misses none, each once, to those who may see it, and for no longer.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use domain::DomainError;
use domain::events::{EventType, NewEvent, emit_in_tx};
use futures::StreamExt;
use futures::future::join_all;
use kernel::{RandomIds, UserId};
use serde_json::{Value, json};
use switchyard_api::Scope;
use tokio::time::timeout;
use tower::ServiceExt;

use crate::support::TestApi;

const PATIENCE: Duration = Duration::from_secs(20);

/// One message of a stream.
#[derive(Debug, Clone, PartialEq)]
struct Message {
    id: String,
    event: String,
    data: Value,
}

fn messages(text: &str) -> Vec<Message> {
    let blocks = text.split("\n\n").filter(|block| !block.trim().is_empty());
    let field = |block: &str, name: &str| {
        let line = block.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_default().trim().to_owned()
    };
    blocks
        .map(|block| Message {
            id: field(block, "id:"),
            event: field(block, "event:"),
            data: serde_json::from_str(&field(block, "data:")).unwrap_or(Value::Null),
        })
        .collect()
}

impl TestApi {
    /// What is there now behind a message; the first message is the greeting.
    async fn read(&self, key: &str, query: &str) -> Vec<Message> {
        let request = Request::builder()
            .uri(format!("/api/events?follow=false{query}"))
            .header("authorization", format!("Bearer {key}"));
        let response = self.router.clone().oneshot(request.body(Body::empty()).unwrap()).await;
        let response = response.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let body = axum::body::to_bytes(response.into_body(), 1 << 24).await.unwrap();
        messages(std::str::from_utf8(&body).unwrap())
    }

    /// The same once there are so many messages behind the greeting: transactions of other tests hold the horizon of all databases.
    async fn read_for(&self, key: &str, query: &str, count: usize) -> Vec<Message> {
        for _ in 0..1_500 {
            let read = self.read(key, query).await;
            if read.len() > count {
                return read;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{query}: fewer than {count} events")
    }

    /// A stream that goes on.
    async fn follow(&self, key: &str) -> (StatusCode, axum::body::BodyDataStream) {
        let request = Request::builder()
            .uri("/api/events")
            .header("authorization", format!("Bearer {key}"));
        let response = self.router.clone().oneshot(request.body(Body::empty()).unwrap()).await;
        let response = response.unwrap();
        (response.status(), response.into_body().into_data_stream())
    }

    async fn tell(&self, event_type: EventType, subject: &str, user: i64) {
        let event = told(event_type, subject, user, 0);
        db::run_tx(&self.owner, "test", async |conn| {
            emit_in_tx(conn, &RandomIds, &event, self.now()).await
        })
        .await
        .unwrap();
    }
}

fn told(event_type: EventType, subject: &str, user: i64, n: usize) -> NewEvent {
    NewEvent {
        event_type,
        subject_kind: "order",
        subject_id: subject.to_owned(),
        user: Some(UserId(user)),
        data: json!({ "n": n }),
    }
}

/// The next piece of a stream; `None` at its end.
async fn piece(stream: &mut axum::body::BodyDataStream) -> Option<String> {
    let piece = timeout(PATIENCE, stream.next())
        .await
        .expect("something is told, or the end");
    piece.map(|piece| String::from_utf8(piece.unwrap().to_vec()).unwrap())
}

#[tokio::test]
async fn who_comes_back_is_told_what_he_missed_and_nothing_twice() {
    let api = TestApi::new().await;
    let start = api.read(&api.key, "").await;
    assert_eq!((start.len(), start[0].event.as_str()), (1, ""));
    let first = api.order("a").await.body["id"].clone();
    let second = api.order("b").await.body["id"].clone();
    let seen = api
        .read_for(&api.key, &format!("&last_event_id={}", start[0].id), 2)
        .await;
    assert_eq!(seen.len(), 3);
    for (message, order) in seen[1..].iter().zip([&first, &second]) {
        assert_eq!(message.event, "order.created");
        assert_eq!(message.data["type"], "order.created");
        assert_eq!(&message.data["data"]["id"], order);
        assert_eq!(
            message.data["subject"],
            json!({ "kind": "order", "id": order, "user_id": 42 })
        );
    }
    let behind = api.read(&api.key, &format!("&last_event_id={}", seen[1].id)).await;
    assert_eq!(behind[1..], seen[2..]);
    let done = api.read(&api.key, &format!("&last_event_id={}", seen[2].id)).await;
    assert_eq!(done.len(), 1);
    // the way that readers send it themselves
    let request = api
        .request(Method::GET, "/api/events?follow=false")
        .header("last-event-id", &seen[1].id);
    let reply = api
        .router
        .clone()
        .oneshot(request.body(Body::empty()).unwrap())
        .await
        .unwrap();
    let body = axum::body::to_bytes(reply.into_body(), 1 << 20).await.unwrap();
    assert_eq!(messages(std::str::from_utf8(&body).unwrap())[1..], seen[2..]);
    for bad in ["x", "7", "-1-2", "1-2-3"] {
        let refused = api.get(&format!("/api/events?last_event_id={bad}")).await;
        refused.refused(422, "invalid_parameter");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_transactions_that_end_in_any_order_none_is_missed() {
    let api = TestApi::new().await;
    let start = api.read(&api.key, "").await[0].id.clone();
    let mut last = start.clone();
    let write = async |writer: usize| {
        for n in 0..12 {
            let hold = Duration::from_millis(u64::try_from((writer * 7 + n * 13) % 40).unwrap());
            let subject = format!("w{writer}");
            db::run_tx(&api.owner, "test", async |conn| {
                for part in [2 * n, 2 * n + 1] {
                    let event = told(EventType::OrderCompleted, &subject, 1, part);
                    emit_in_tx(conn, &RandomIds, &event, api.now()).await?;
                    tokio::time::sleep(hold).await;
                }
                Ok::<_, DomainError>(())
            })
            .await
            .unwrap();
        }
    };
    let mut seen: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    let mut ids = Vec::new();
    let mut take = |messages: Vec<Message>, last: &mut String| {
        for message in messages.into_iter().skip(1) {
            let subject = message.data["subject"]["id"].as_str().unwrap().to_owned();
            let n = message.data["data"]["n"].as_u64().unwrap();
            seen.entry(subject).or_default().push(n);
            last.clone_from(&message.id);
            ids.push(message.id);
        }
    };
    let writers = join_all((0..8).map(write));
    tokio::pin!(writers);
    loop {
        let read = tokio::select! {
            biased;
            messages = async { api.read(&api.key, &format!("&last_event_id={last}")).await } => Some(messages),
            _ = &mut writers => None,
        };
        match read {
            Some(messages) => take(messages, &mut last),
            None => break,
        }
        // let the writers go on
        let written = timeout(Duration::from_millis(3), &mut writers).await;
        if written.is_ok() {
            break;
        }
    }
    // until all that was written can be read
    let whole = format!("&last_event_id={start}");
    api.read_for(&api.key, &whole, 8 * 24).await;
    take(api.read(&api.key, &format!("&last_event_id={last}")).await, &mut last);
    assert_eq!(seen.len(), 8);
    for (subject, numbers) in seen {
        assert_eq!(numbers, (0..24).collect::<Vec<_>>(), "{subject}");
    }
    let count = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), count, "none twice");
}

#[tokio::test]
async fn each_is_told_what_he_may_see_and_asked_for() {
    let api = TestApi::new().await;
    let (_, narrow) = api.key_with(&[Scope::EventsRead, Scope::OrdersRead], 1_000).await;
    let (_, blind) = api.key_with(&[Scope::OrdersRead], 1_000).await;
    let start = format!("&last_event_id={}", api.read(&api.key, "").await[0].id);
    api.tell(EventType::OrderCompleted, "a", 1).await;
    api.tell(EventType::DepositCredited, "b", 1).await;
    api.tell(EventType::OrderRefunded, "c", 2).await;
    api.tell(EventType::WebhookTest, "d", 2).await;
    api.read_for(&api.key, &start, 3).await;
    let subjects = async |key: &str, query: &str| {
        let read = api.read(key, &format!("{start}{query}")).await;
        let subjects = read[1..].iter().map(|message| message.data["subject"]["id"].clone());
        subjects.map(|id| id.as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(subjects(&api.key, "").await, ["a", "b", "c"]);
    assert_eq!(subjects(&narrow, "").await, ["a", "c"]);
    assert_eq!(subjects(&api.key, "&user_id=1").await, ["a", "b"]);
    assert_eq!(
        subjects(&api.key, "&types=order.refunded,deposit.credited").await,
        ["b", "c"]
    );
    assert_eq!(subjects(&api.key, "&types=order.cancelled").await, [""; 0]);
    let refused = async |key: &str, query: &str| {
        let path = format!("/api/events?{query}");
        api.with_token(key, Method::GET, &path, &Value::Null).await
    };
    refused(&narrow, "types=deposit.credited")
        .await
        .refused(403, "insufficient_scope");
    refused(&blind, "").await.refused(403, "insufficient_scope");
    refused(&api.key, "types=order.flown")
        .await
        .refused(422, "invalid_parameter");
    refused(&api.key, "types=webhook.test")
        .await
        .refused(422, "invalid_parameter");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_is_told_at_once_until_the_key_is_revoked() {
    let api = TestApi::new().await;
    let (id, key) = api.key_with(Scope::ALL, 1_000).await;
    let (_, mut stream) = api.follow(&key).await;
    let greeting = piece(&mut stream).await.unwrap();
    assert!(
        greeting.contains("retry: 3000") || greeting.contains("retry:3000"),
        "{greeting}"
    );
    api.order("a").await;
    let message = messages(&piece(&mut stream).await.unwrap());
    assert_eq!(message[0].event, "order.created");
    let (_, admin) = api.signed_in(&["super_admin"]).await;
    let path = format!("/api/keys/{}/revoke", id.0);
    let revoked = api.with_token(&admin, Method::POST, &path, &Value::Null).await;
    assert!(revoked.status.is_success());
    // what was right a moment ago is believed for five seconds
    api.clock.advance_seconds(6);
    assert_eq!(piece(&mut stream).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_are_bounded_and_sent_away_after_a_while() {
    let limits = [
        ("EVENTS__MAX_STREAMS_PER_KEY", "1"),
        ("EVENTS__MAX_STREAMS", "2"),
        ("EVENTS__STREAM_S", "2"),
    ];
    let api = TestApi::with(&limits).await;
    let (_, other) = api.key_with(Scope::ALL, 1_000).await;
    let (_, third) = api.key_with(Scope::ALL, 1_000).await;
    let (status, mut mine) = api.follow(&api.key).await;
    assert_eq!(status, StatusCode::OK);
    let refused = api.get("/api/events").await;
    refused.refused(429, "rate_limited");
    assert_eq!(refused.header("retry-after"), "30");
    let (_, others) = api.follow(&other).await;
    let full = api.with_token(&third, Method::GET, "/api/events", &Value::Null).await;
    full.refused(503, "overloaded");
    // who goes makes room
    drop(others);
    let (status, theirs) = api.follow(&third).await;
    assert_eq!(status, StatusCode::OK);
    drop(theirs);
    assert!(piece(&mut mine).await.is_some());
    assert_eq!(piece(&mut mine).await, None, "its time is over");
    drop(mine);
    assert_eq!(api.follow(&api.key).await.0, StatusCode::OK);
}

#[tokio::test]
async fn who_was_away_too_long_is_told_so() {
    let api = TestApi::new().await;
    let start = api.read(&api.key, "").await[0].id.clone();
    api.tell(EventType::OrderCompleted, "old", 1).await;
    api.tell(EventType::OrderCompleted, "told", 1).await;
    api.db
        .sql("INSERT INTO webhook_deliveries (endpoint_id, event_id, event_type, state, next_attempt_at, created_at, updated_at)
            SELECT gen_random_uuid(), id, event_type, 'pending', now(), now(), now() FROM events WHERE subject_id = 'told'")
        .await;
    let now = api.now();
    let (day, hour) = (chrono::Duration::days(1), chrono::Duration::hours(1));
    let pool = api.db.pool(testkit::Role::Worker);
    let gone = domain::events::prune(&pool, (now - day, now - day), 100).await.unwrap();
    assert_eq!(gone, 0, "nothing is old");
    let later = now + hour;
    assert_eq!(domain::events::prune(&pool, (later, later), 100).await.unwrap(), 1);
    assert_eq!(
        api.count("SELECT count(*) FROM events WHERE subject_id = 'told'").await,
        1
    );
    let back = api.read(&api.key, &format!("&last_event_id={start}")).await;
    assert_eq!((back.len(), back[0].event.as_str()), (1, "reset"));
    assert_eq!(back[0].data["type"], "reset");
    // his new place is good
    api.tell(EventType::OrderCompleted, "new", 1).await;
    let on = api
        .read_for(&api.key, &format!("&last_event_id={}", back[0].id), 1)
        .await;
    assert_eq!(on[1].data["subject"]["id"], "new");
    // a place of another database
    let alien = api.read(&api.key, "&last_event_id=999999999999-1").await;
    assert_eq!(alien[0].event, "reset");
}

#[tokio::test]
async fn nobody_changes_what_happened() {
    let api = TestApi::new().await;
    api.tell(EventType::OrderCompleted, "a", 1).await;
    assert!(api.db.try_sql("UPDATE events SET data = '{}'").await.is_err());
    assert!(api.db.try_sql("TRUNCATE events").await.is_err());
}
