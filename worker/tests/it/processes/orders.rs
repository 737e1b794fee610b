//! The life of an order, from its acceptance to the end of its rental, under a worker that dies.

use kernel::OrderId;

use super::kills::killed_everywhere;
use super::{LEASES_S, Life, come_to_rest};
use crate::harness::{Does, Process, Rig};

/// The life of an order in parts, each of which begins with something from outside and ends when all work is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    /// The order is there: claimed, signed, stored, sent.
    Delivery,
    /// A block carries the delegation.
    Inclusion,
    /// That block is solidified: the order is settled.
    Finality,
    /// The rental is over: claimed, signed, stored, sent.
    Reclaim,
    /// A block carries the reclaim.
    ReclaimInclusion,
    /// That block is solidified.
    ReclaimFinality,
}

/// One order.
#[derive(Default)]
pub(super) struct OrderLife(Option<OrderId>);

impl OrderLife {
    pub(super) const fn of(order: OrderId) -> Self {
        Self(Some(order))
    }

    pub(super) const fn id(&self) -> OrderId {
        self.0.unwrap()
    }
}

impl Life for OrderLife {
    type Part = Part;
    const PARTS: &'static [Part] = &[
        Part::Delivery,
        Part::Inclusion,
        Part::Finality,
        Part::Reclaim,
        Part::ReclaimInclusion,
        Part::ReclaimFinality,
    ];

    fn must_reach(part: Part) -> &'static [&'static str] {
        match part {
            Part::Delivery => &[
                "orders.delegate.begun",
                "claim_order.begin",
                "claim_order.commit",
                "claim_order.committed",
                "broadcast.begin",
                "broadcast.answered",
                "record_accepted.committed",
                "orders.delegate.ended",
            ],
            Part::Inclusion | Part::ReclaimInclusion => &[
                "blocks.fetched",
                "apply_blocks.begin",
                "apply_blocks.commit",
                "apply_blocks.committed",
            ],
            Part::Finality | Part::ReclaimFinality => &[
                "set_solid.commit",
                "set_solid.committed",
                "chain.settle_final.begun",
                "finalise.commit",
                "finalise.committed",
                "chain.settle_final.ended",
            ],
            Part::Reclaim => &[
                "delegations.reclaim.begun",
                "claim_reclaim.begin",
                "claim_reclaim.commit",
                "claim_reclaim.committed",
                "broadcast.begin",
                "broadcast.answered",
                "record_accepted.committed",
            ],
        }
    }

    async fn prepare(rig: &Rig) -> Self {
        rig.supplier(100_000).await;
        Self::default()
    }

    async fn enter(&mut self, part: Part, rig: &Rig) {
        match part {
            Part::Delivery => self.0 = Some(rig.order(rig.wish()).await),
            Part::Inclusion | Part::ReclaimInclusion => rig.mine(1),
            Part::Finality | Part::ReclaimFinality => rig.mine(3),
            Part::Reclaim => rig.pass(300),
        }
    }

    async fn finish(self, rig: &Rig) {
        let order = self.id();
        rig.wait_settled(order).await;
        if rig
            .count("SELECT count(*) AS n FROM delegations WHERE state = 'active'")
            .await
            > 0
        {
            rig.pass(300);
        }
        rig.until("the energy is taken back", async || rig.is_reclaimed(order).await)
            .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_killed_at_any_step_costs_no_order_and_doubles_none() {
    killed_everywhere::<OrderLife>().await;
}

/// Orders that wait for a worker when it starts: it claims most of them together.
const TOGETHER: usize = 12;

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_killed_over_many_orders_at_once_costs_none_and_doubles_none() {
    for place in [
        "claim_orders.begin",
        "claim_orders.commit",
        "claim_orders.committed",
        "broadcast.answered",
        "record_accepted.committed",
    ] {
        let (rig, worker) = Rig::with_worker().await;
        rig.supplier(1_000_000).await;
        rig.idle().await;
        worker.stop().await;
        let mut orders = Vec::new();
        for _ in 0..TOGETHER {
            orders.push(rig.order(rig.wish()).await);
        }
        let mut process = Process::start_killed_at(&rig.world, place);
        come_to_rest(&rig, &mut process).await;
        assert!(process.end().await, "{place} was not reached");
        rig.clock.advance(LEASES_S);
        let _finisher = rig.start(Does::Everything);
        for order in &orders {
            rig.wait_settled(*order).await;
        }
        rig.pass(300);
        rig.until("the energy is taken back", async || {
            rig.count("SELECT count(*) AS n FROM delegations WHERE state <> 'reclaimed'")
                .await
                == 0
        })
        .await;
        rig.judge().await;
    }
}

impl Rig {
    pub(super) async fn is_reclaimed(&self, order: OrderId) -> bool {
        self.timeline(order).await.iter().any(|event| event == "reclaimed")
    }
}
