//! The end of a walk: from there on all goes well, and what was begun must end.

use chain::Broadcast;

use super::steps::Walker;
use crate::world::{ANNA, PRICE, STAKE};

/// What happened to orders, and what their attempts died of.
const HAPPENED: &str = "SELECT event AS word FROM order_events \
    UNION SELECT detail->>'cause' FROM order_events WHERE detail ? 'cause'";

impl Walker {
    /// From here on all goes well: every order ends, every energy comes back, and the money is where it belongs.
    /// Answers what happened on the way.
    pub(super) async fn finish(&mut self) -> Vec<String> {
        let open = "(SELECT count(*) FROM orders WHERE state IN ('pending', 'processing') \
                        OR (state = 'completed' AND settled_at IS NULL)) \
                  + (SELECT count(*) FROM delegations WHERE state IN ('reserved', 'active', 'reclaiming')) \
                  + (SELECT count(*) FROM chain_transactions WHERE state IN ('signed', 'sent', 'included'))";
        self.world.clock.advance_seconds(61);
        self.end_quotes().await;
        for round in 0..40 {
            if self.world.number(open).await == 0 {
                self.assert_ended().await;
                return self.world.words(HAPPENED).await;
            }
            self.good_round(round).await;
            self.check().await;
        }
        panic!("something never ended");
    }

    async fn good_round(&mut self, round: usize) {
        self.note(format!("good round {round}"));
        self.release().await;
        for order in self.orders.clone() {
            let tried = self.world.try_claim_in_parts(order, STAKE, 2).await.unwrap();
            self.signed(order, tried).await;
        }
        self.reclaim().await;
        for n in 0..self.node.known.len() {
            let known = &mut self.node.known[n];
            known.tried = true;
            // the node takes only what was not refused for good
            if self.world.tx_row(&known.tx).await.death_cause.is_none() {
                known.at_large = true;
                let tx = known.tx;
                self.world.answer(&tx, &Broadcast::Accepted, false).await;
            }
        }
        let all: Vec<(usize, bool)> = self.node.eligible().into_iter().map(|n| (n, true)).collect();
        self.node.produce(&all, 3);
        self.node.produce(&[], if round.is_multiple_of(2) { 61 } else { 310 });
        self.follow().await;
        self.node.solid = self.node.head().number;
        self.follow().await;
        self.finalise().await;
        self.bury().await;
        self.sync().await;
    }

    async fn assert_ended(&mut self) {
        for wallet in self.wallets.clone() {
            assert_eq!(self.node.delegated(wallet), 0);
            assert_eq!(self.world.reserved(wallet).await, 0);
        }
        let settled = self.world.count("orders WHERE settled_at IS NOT NULL").await;
        assert_eq!(self.world.money().await, [settled, 0, settled]);
        assert_eq!(self.world.trx(ANNA).await, PRICE * (100 - settled));
        self.check().await;
    }
}
