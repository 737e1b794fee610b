//! What owners of webhook endpoints do: register, rotate, try out, look, send again.

use axum::http::Method;
use serde_json::{Value, json};

use super::{Receiver, Rig};

/// A registered endpoint.
#[derive(Debug, Clone)]
pub(crate) struct Hook {
    pub(crate) id: String,
    pub(crate) secret: String,
}

impl Rig {
    /// Registers a receiver for these events; none means all.
    pub(crate) async fn hook(&self, receiver: &Receiver, event_types: &[&str]) -> Hook {
        let body = json!({ "url": receiver.url, "event_types": event_types });
        let made = self.http.post("/api/webhooks", body).await.unwrap();
        let text = |name: &str| made[name].as_str().unwrap().to_owned();
        Hook {
            id: text("id"),
            secret: text("secret"),
        }
    }

    pub(crate) async fn hook_state(&self, hook: &Hook) -> Value {
        self.http.get(&format!("/api/webhooks/{}", hook.id)).await
    }

    /// Calls a route of the endpoint; the answer, or the code of the problem.
    pub(crate) async fn of_hook(&self, hook: &Hook, route: &str, body: Value) -> Result<Value, String> {
        self.http
            .post(&format!("/api/webhooks/{}/{route}", hook.id), body)
            .await
    }

    pub(crate) async fn change_hook(&self, hook: &Hook, change: Value) -> Value {
        let path = format!("/api/webhooks/{}", hook.id);
        self.http.call(Method::PATCH, &path, Some(change)).await.unwrap()
    }

    /// Sends a test; answers its id.
    pub(crate) async fn try_hook(&self, hook: &Hook) -> String {
        let sent = self.of_hook(hook, "test", json!({})).await.unwrap();
        sent["delivery_id"].as_str().unwrap().to_owned()
    }

    /// Its messages, oldest first.
    pub(crate) async fn messages(&self, hook: &Hook) -> Vec<Value> {
        let page = self.http.get(&format!("/api/webhooks/{}/deliveries", hook.id)).await;
        let mut items = page["items"].as_array().unwrap().clone();
        items.reverse();
        items
    }

    /// Waits until the message has been sent so often and every run has ended.
    pub(crate) async fn wait_sends(&self, hook: &Hook, message: &str, sends: usize) -> Value {
        let find = async || {
            let messages = self.messages(hook).await;
            messages.into_iter().find(|one| one["id"] == message).unwrap()
        };
        self.meanwhile("the message is sent", async || {
            find().await["attempts"].as_array().unwrap().len() >= sends
        })
        .await;
        self.meanwhile("the run has ended", async || {
            self.count("SELECT count(*) AS n FROM jobs WHERE queue = 'notify' AND started_at IS NOT NULL")
                .await
                == 0
        })
        .await;
        find().await
    }
}
