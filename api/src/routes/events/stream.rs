//! `GET /api/events`.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Extension, State};
use axum::http::HeaderMap;
use axum::http::header::HeaderName;
use axum::response::sse::{Event as Message, Sse};
use axum::response::{IntoResponse, Response};
use domain::events::{Event, EventFilter, EventPlace, EventType, Start, newest, page, permission_of, start};
use domain::principals::Principal;
use futures::stream;
use serde_json::json;
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::feed::Reader;
use crate::App;
use crate::extract::QueryParams;
use crate::middleware::{Caller, need, presented, still};
use crate::problem::{Code, Problem, chain};

pub(crate) const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// Proxies such as nginx are told to hand each event on at once.
const UNBUFFERED: (&str, &str) = ("x-accel-buffering", "no");
/// Events read at a time.
const PAGE: i64 = 200;
/// How often it is looked whether the caller may still read.
const CHECK: Duration = Duration::from_secs(5);
/// How often a reader hears that the line is alive, and where he is.
const ALIVE: Duration = Duration::from_secs(15);
/// How long a reader is asked to wait before he comes back.
const RETRY: Duration = Duration::from_secs(3);

/// A reader on his way.
struct Reading {
    app: Arc<App>,
    reader: Reader,
    caller: Principal,
    clear: Zeroizing<String>,
    filter: EventFilter,
    follow: bool,
    place: EventPlace,
    horizon: i64,
    ready: VecDeque<Message>,
    until: Instant,
    checked: Instant,
    spoke: Instant,
}

/// Server-sent events: what happens to orders, deposits, payouts, exchanges and supplier wallets, each once and in an order.
///
/// Each message has an `id`, the type as `event`, and as `data` one line with `type`, `timestamp`, `event_id`, `subject` and `data`, the same
/// as a webhook's. Begins with what happens from now on; with `Last-Event-ID` (or `last_event_id`) behind that message, so that who
/// comes back misses nothing. `reset` says that something of before is gone for good: read the lists again. Only what the caller may
/// see is told: orders take `orders:read`, deposits `deposits:read` and so on. The stream ends after `events.stream_s` seconds, with the
/// access token, or once the key is revoked: come back with the last id. Comments and bare ids keep the line alive.
#[utoipa::path(get, path = "/api/events", tag = "events",
    params(
        ("types" = Option<String>, Query, description = "Only these, with commas: `order.completed,order.refunded`"),
        ("user_id" = Option<i64>, Query, description = "Only of this user"),
        ("follow" = Option<bool>, Query, description = "`false`: end once there is nothing more; `true` where not given"),
        ("last_event_id" = Option<String>, Query, description = "Begin behind this message"),
        ("Last-Event-ID" = Option<String>, Header, description = "The same, as readers send it themselves")),
    responses((status = 200, description = "A stream", body = String, content_type = "text/event-stream")))]
pub(crate) async fn stream_events(
    State(app): State<Arc<App>>,
    Extension(caller): Caller,
    headers: HeaderMap,
    mut query: QueryParams,
) -> Result<Response, Problem> {
    let types: Option<String> = query.take("types")?;
    let filter = EventFilter {
        types: types_for(&caller, types.as_deref())?,
        user_id: query.take("user_id")?,
    };
    let follow = query.take("follow")?.unwrap_or(true);
    let of_query: Option<String> = query.take("last_event_id")?;
    query.finish()?;
    let of_header = headers.get(LAST_EVENT_ID).and_then(|value| value.to_str().ok());
    let seen = of_header.or(of_query.as_deref()).filter(|id| !id.is_empty());
    let seen = seen.map(|id| place(id).ok_or_else(no_place)).transpose()?;
    let reader = Reader::new(&app, caller.key.0)?;
    let Start { place, missed } = start(&app.pool, seen).await?;
    let (horizon, _) = newest(&app.pool).await?;
    let now = Instant::now();
    let mut reading = Reading {
        until: now + Duration::from_secs(app.settings.events.stream_s),
        clear: presented(&headers).unwrap_or_default(),
        caller: (*caller).clone(),
        reader,
        app,
        filter,
        follow,
        place,
        horizon,
        ready: VecDeque::new(),
        checked: now,
        spoke: now,
    };
    reading.greet(missed);
    let messages = stream::unfold(reading, |mut reading| async move {
        let message = reading.next().await?;
        Some((Ok::<_, Infallible>(message), reading))
    });
    Ok(([UNBUFFERED], Sse::new(messages)).into_response())
}

impl Reading {
    /// The first message: where he is, and whether he missed something.
    fn greet(&mut self, missed: bool) {
        let first = Message::default().retry(RETRY).id(id_of(self.place));
        self.ready.push_back(if missed {
            let why =
                json!({ "type": "reset", "reason": "what happened after this id is not kept: read the lists again" });
            first.event("reset").data(why.to_string())
        } else {
            first.comment("switchyard")
        });
    }

    /// The next message; `None`: the stream ends.
    async fn next(&mut self) -> Option<Message> {
        loop {
            if let Some(message) = self.ready.pop_front() {
                self.spoke = Instant::now();
                return Some(message);
            }
            if self.is_over().await {
                return None;
            }
            if self.place < EventPlace::before(self.horizon) {
                self.read().await?;
            } else if !self.follow {
                return None;
            } else {
                self.wait().await;
            }
        }
    }

    /// A page of what is new. Where the database is away the stream ends, and the reader comes back to where he is.
    async fn read(&mut self) -> Option<()> {
        match page(&self.app.pool, (self.place, self.horizon), &self.filter, PAGE).await {
            Ok((events, reached)) => {
                self.place = reached;
                metrics::counter!("switchyard_events_streamed_total").increment(events.len() as u64);
                self.ready.extend(events.into_iter().map(message));
                Some(())
            }
            Err(error) => {
                tracing::warn!(cause = chain(&error), "events could not be read");
                None
            }
        }
    }

    /// Until there is something to do.
    async fn wait(&mut self) {
        let wake = (self.checked + CHECK).min(self.until).min(self.spoke + ALIVE);
        tokio::select! {
            changed = self.reader.horizon.changed() => {
                if changed.is_ok() {
                    self.horizon = (*self.reader.horizon.borrow_and_update()).max(self.horizon);
                }
            }
            () = self.app.stopping.cancelled() => {}
            () = tokio::time::sleep_until(wake) => {}
        }
        if self.spoke.elapsed() >= ALIVE {
            self.ready
                .push_back(Message::default().comment("alive").id(id_of(self.place)));
        }
    }

    /// Whether his time is over, or he may not read any more.
    async fn is_over(&mut self) -> bool {
        let now = self.app.clock.now();
        if self.app.stopping.is_cancelled() || Instant::now() >= self.until || !self.caller.works_at(now) {
            return true;
        }
        if self.checked.elapsed() < CHECK {
            return false;
        }
        self.checked = Instant::now();
        match still(&self.app, &self.clear).await {
            // with fewer rights he begins anew
            Ok(Some(caller)) => caller.permissions != self.caller.permissions,
            Ok(None) => true,
            Err(error) => {
                tracing::warn!(
                    cause = chain(&error),
                    "it could not be looked whether a reader of events may go on"
                );
                true
            }
        }
    }
}

fn message(event: Event) -> Message {
    let id = id_of(event.at());
    let data = json!({
        "type": event.event_type,
        "timestamp": event.created_at,
        "event_id": event.id,
        "subject": { "kind": event.subject_kind, "id": event.subject_id, "user_id": event.user_id },
        "data": event.data,
    });
    Message::default()
        .id(id)
        .event(event.event_type.word())
        .data(data.to_string())
}

fn id_of(place: EventPlace) -> String {
    format!("{}-{}", place.xact, place.place)
}

fn place(id: &str) -> Option<EventPlace> {
    let (xact, place) = id.split_once('-')?;
    let (xact, place) = (xact.parse().ok()?, place.parse().ok()?);
    (xact >= 0 && place >= 0).then_some(EventPlace { xact, place })
}

fn no_place() -> Problem {
    let detail = "must be the id of a message of this stream";
    Problem::field(Code::InvalidParameter, "query/last_event_id", "invalid_value", detail)
}

/// What this caller is told: what he asked for, or all that he may see.
fn types_for(caller: &Principal, asked: Option<&str>) -> Result<Vec<EventType>, Problem> {
    let Some(asked) = asked else {
        let seen = EventType::ALL.iter().copied();
        return Ok(seen
            .filter(|event| permission_of(*event).is_some_and(|point| caller.may(point)))
            .collect());
    };
    let mut types = Vec::new();
    for word in asked.split(',') {
        let unknown = || {
            let detail = format!("{word:?} is no type of event that is told here");
            Problem::field(Code::InvalidParameter, "query/types", "invalid_value", detail)
        };
        let event: EventType = word.parse().map_err(|_| unknown())?;
        need(caller, permission_of(event).ok_or_else(unknown)?)?;
        if !types.contains(&event) {
            types.push(event);
        }
    }
    Ok(types)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_lead_back_to_their_places() {
        for place_of in [EventPlace { xact: 7, place: 3 }, EventPlace::before(9)] {
            assert_eq!(place(&id_of(place_of)), Some(place_of));
        }
        for bad in ["", "7", "-7-3", "7--3", "7-", "x-1", "7-3-1", "9223372036854775808-1"] {
            assert_eq!(place(bad), None, "{bad}");
        }
    }
}
