//! What a customer does who has an address kept, and what becomes of it.

use chain::{ChainClient as _, TronAddress};
use kernel::{OrderId, UserId};
use serde_json::{Value, json};

use super::Rig;

/// The energy that addresses are kept at.
pub(crate) const KEPT: i64 = 65_000;

impl Rig {
    /// Keeps an address of a user's for five minutes at a time; answers the id.
    pub(crate) async fn stand(&self, user: UserId, receiver: TronAddress, budget: &str) -> String {
        let until = self.chain_time() + chrono::TimeDelta::days(1);
        let wish = json!({
            "user_id": user, "receiver": receiver.to_string(), "keep_energy": KEPT, "duration_s": 300,
            "budget": budget, "until": until,
        });
        let begun = self.http.post("/api/standing-orders", wish).await.unwrap();
        begun["id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn standing(&self, id: &str) -> Value {
        self.http.get(&format!("/api/standing-orders/{id}")).await
    }

    /// Its orders, oldest first.
    pub(crate) async fn placed(&self, id: &str) -> Vec<OrderId> {
        let orders = self.standing(id).await["orders"].as_array().unwrap().clone();
        let ids = orders
            .iter()
            .rev()
            .map(|order| order.as_str().unwrap().parse().unwrap());
        ids.collect()
    }

    pub(crate) async fn energy_of(&self, address: TronAddress) -> i64 {
        self.node().wallet_snapshot(address).await.unwrap().energy_available()
    }

    pub(crate) async fn stop_standing(&self, id: &str) {
        let path = format!("/api/standing-orders/{id}/stop");
        self.http.post(&path, json!({})).await.unwrap();
        self.until("its job is gone", async || {
            self.count("SELECT count(*) AS n FROM jobs WHERE kind = 'orders.keep'")
                .await
                == 0
        })
        .await;
    }
}
