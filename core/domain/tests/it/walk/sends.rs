//! Sends of a walk: by the signer for its first time, or again by others, to nodes that answer as they like.

use chain::{Broadcast, Refusal};
use chrono::Duration;
use db::acquire;
use db::models::{ChainTransaction, IntentKind};

use super::steps::Walker;
use crate::harness::refused;
use crate::world::NETWORK;

impl Walker {
    /// What a node answers to these bytes. Once a node took them, another may refuse them all the same.
    fn broadcast(&mut self, n: usize) -> Broadcast {
        let (code, message) = ("CODE".to_owned(), "text".to_owned());
        let kind = self.node.known[n].kind;
        let answer = match self.below(10) {
            0..5 => Broadcast::Accepted,
            5 => Broadcast::AlreadyKnown { code, message },
            6 => Broadcast::Unknown { code, message },
            7 => Broadcast::Retry { code, message },
            8 if kind == IntentKind::Delegate => refused(Refusal::ReceiverNotActivated),
            _ => refused(Refusal::InsufficientStake),
        };
        let taken = match &answer {
            Broadcast::Accepted | Broadcast::AlreadyKnown { .. } => true,
            Broadcast::Unknown { .. } => self.chance(50),
            Broadcast::Retry { .. } | Broadcast::Refused { .. } => false,
        };
        self.node.known[n].at_large |= taken;
        answer
    }

    /// Signers send for their first time; they may die before they record the answer.
    pub(super) async fn send(&mut self) {
        for _ in 0..3 {
            let untried: Vec<usize> = (0..self.node.known.len())
                .filter(|n| !self.node.known[*n].tried)
                .collect();
            let Some(n) = self.pick(&untried) else { return };
            self.node.known[n].tried = true;
            let answer = self.broadcast(n);
            let tx = self.node.known[n].tx;
            self.note(format!("send {}: {answer:?}", tx.txid));
            if self.chance(85) {
                let before = self.node.known[n].at_large;
                let died = self.world.answer(&tx, &answer, true).await.died;
                assert!(!(died && before), "{} may still land", tx.txid);
            }
        }
    }

    /// Another worker takes what is due and sends it again; the signer may be late.
    pub(super) async fn resend(&mut self) {
        self.world.clock.advance_seconds(5);
        let now = self.world.now();
        let mut conn = acquire(&self.world.worker).await.unwrap();
        let next = now + Duration::seconds(30);
        let due = ChainTransaction::claim_to_check(&mut conn, NETWORK, now, next, 10)
            .await
            .unwrap();
        drop(conn);
        for row in due {
            let n = self
                .node
                .known
                .iter()
                .position(|known| known.tx.id.0 == row.id)
                .unwrap();
            let answer = self.broadcast(n);
            let tx = self.node.known[n].tx;
            self.note(format!("resend {}: {answer:?}", tx.txid));
            if self.chance(50) && !self.node.known[n].tried {
                self.send_late(n).await;
            }
            assert!(!self.world.answer(&tx, &answer, false).await.died);
        }
    }

    async fn send_late(&mut self, n: usize) {
        self.node.known[n].tried = true;
        let tx = self.node.known[n].tx;
        let late = refused(Refusal::InsufficientStake);
        assert!(
            !self.world.answer(&tx, &late, true).await.died,
            "{} was sent before",
            tx.txid
        );
        self.note(format!("send {} late: refused", tx.txid));
    }
}
