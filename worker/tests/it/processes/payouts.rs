//! The life of a payout, from its request to its last booking, under a worker that dies: it is paid once.

use db::models::PayoutState;
use kernel::PayoutId;

use super::Life;
use super::kills::killed_everywhere;
use crate::harness::{Rig, TRX, Withdrawal};

/// The life of a payout in parts, each of which begins with something from outside and ends when all work is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// The payout is there: claimed, signed, stored, sent.
    Sending,
    /// A block carries it.
    Inclusion,
    /// That block is solidified: the payout is settled, its fee booked.
    Finality,
}

/// One payout.
struct PayoutLife {
    wish: Withdrawal,
    id: Option<PayoutId>,
}

impl Life for PayoutLife {
    type Part = Part;
    const PARTS: &'static [Part] = &[Part::Sending, Part::Inclusion, Part::Finality];

    fn must_reach(part: Part) -> &'static [&'static str] {
        match part {
            Part::Sending => &[
                "payouts.send.begun",
                "claim_payout.begin",
                "claim_payout.commit",
                "claim_payout.committed",
                "broadcast.begin",
                "broadcast.answered",
                "record_accepted.committed",
            ],
            Part::Inclusion => &[
                "blocks.fetched",
                "apply_blocks.begin",
                "apply_blocks.commit",
                "apply_blocks.committed",
            ],
            Part::Finality => &[
                "set_solid.commit",
                "set_solid.committed",
                "chain.settle_final.begun",
                "finalise.commit",
                "finalise.committed",
            ],
        }
    }

    async fn prepare(rig: &Rig) -> Self {
        rig.treasury(1_000, 0).await;
        Self {
            wish: rig.withdrawal(20),
            id: None,
        }
    }

    async fn enter(&mut self, part: Part, rig: &Rig) {
        match part {
            Part::Sending => self.id = Some(rig.payout(self.wish).await),
            Part::Inclusion => rig.mine(1),
            Part::Finality => rig.mine(3),
        }
    }

    async fn finish(self, rig: &Rig) {
        rig.wait_payout(self.id.unwrap(), PayoutState::Completed).await;
        assert_eq!(rig.sun_of(self.wish.to).await, 21 * TRX, "paid once");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_killed_at_any_step_pays_once() {
    killed_everywhere::<PayoutLife>().await;
}
