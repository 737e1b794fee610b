//! The life of an order that two wallets share, under a worker that dies: it is delivered whole, once.

use super::Life;
use super::kills::killed_everywhere;
use super::orders::{OrderLife, Part};
use crate::harness::{Rig, Wish};

/// The life of an order, which no wallet can carry alone.
struct SharedLife(OrderLife, i64);

impl Life for SharedLife {
    type Part = Part;
    const PARTS: &'static [Part] = OrderLife::PARTS;
    /// Where several transactions of one order are in one step, or the last of them decides.
    const PLACES: &'static [&'static str] = &[
        "claim_order.",
        "broadcast",
        "record_",
        "apply_blocks.commit",
        "finalise.commit",
    ];

    fn must_reach(part: Part) -> &'static [&'static str] {
        match part {
            Part::Delivery => &[
                "claim_order.commit",
                "claim_order.committed",
                "broadcast.begin",
                "broadcast.answered",
            ],
            Part::Reclaim => &["broadcast.begin", "broadcast.answered"],
            Part::Inclusion | Part::ReclaimInclusion => &["apply_blocks.commit", "apply_blocks.committed"],
            Part::Finality | Part::ReclaimFinality => &["finalise.commit", "finalise.committed"],
        }
    }

    async fn prepare(rig: &Rig) -> Self {
        for _ in 0..2 {
            rig.supplier(50_000).await;
        }
        Self(OrderLife::default(), rig.largest_order().await)
    }

    async fn enter(&mut self, part: Part, rig: &Rig) {
        if part == Part::Delivery {
            let wish = Wish {
                energy: self.1 / 4 * 3,
                ..rig.wish()
            };
            self.0 = OrderLife::of(rig.order(wish).await);
        } else {
            self.0.enter(part, rig).await;
        }
    }

    async fn finish(self, rig: &Rig) {
        let order = self.0.id();
        self.0.finish(rig).await;
        let detail = rig.detail(order).await;
        let kept = detail.delegations.iter().filter(|(part, _)| part.is_kept());
        let energy: i64 = kept.map(|(part, _)| part.energy).sum();
        assert_eq!(energy, detail.order.energy);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_killed_at_any_step_delivers_a_shared_order_whole_and_once() {
    killed_everywhere::<SharedLife>().await;
}
