//! What it takes to sell energy by transfer, and what became of what was sent.

use kernel::{Clock, RandomIds};

use super::{Rig, worker};

impl Rig {
    /// The published address is known, as after the start of a worker.
    pub(crate) async fn sell_by_transfer(&self) {
        let policy = worker::rental(&self.world);
        domain::rentals::publish(&self.owner, &RandomIds, &policy, self.clock.now())
            .await
            .unwrap();
        // else who pays first makes the account, for a fee
        self.devnet.faucet(policy.address.parse().unwrap(), 1).unwrap();
    }

    /// What the house's customer of rentals has, in sun.
    pub(crate) async fn renters_sun(&self) -> i64 {
        let balance = "SELECT coalesce(sum(balance), 0)::bigint AS n FROM ledger_accounts WHERE code = 'user:-2:TRX'";
        self.count(balance).await
    }

    /// State and reasons of what was sent, the oldest first.
    pub(crate) async fn rentals(&self) -> Vec<String> {
        let all = "SELECT concat_ws(' ', state, reason_code, held_code) AS line FROM rentals ORDER BY transfer_id";
        self.lines(all).await
    }

    /// Blocks until what was sent stands so. Time passes, since nobody tells a rental that its order has ended.
    pub(crate) async fn wait_rentals(&self, standing: &[&str]) {
        self.until("rentals come to their ends", async || {
            let mut all = self.rentals().await;
            all.sort_unstable();
            all == standing
        })
        .await;
    }
}
