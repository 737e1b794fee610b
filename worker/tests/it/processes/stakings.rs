//! The life of a staking, from its request to its finality, under a worker that dies: it is staked once.

use ::chain::ChainClient;
use db::models::StakingState;
use kernel::StakingId;

use super::Life;
use super::kills::killed_everywhere;
use crate::harness::{Rig, Supplier, TRX, staked_for};

/// The life of a staking in parts, each of which begins with something from outside and ends when all work is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// It is asked for: claimed, signed, stored, sent.
    Sending,
    /// A block carries it.
    Inclusion,
    /// That block is solidified: it is done.
    Finality,
}

/// One staking.
struct StakeLife {
    supplier: Supplier,
    id: Option<StakingId>,
}

impl Life for StakeLife {
    type Part = Part;
    const PARTS: &'static [Part] = &[Part::Sending, Part::Inclusion, Part::Finality];
    const PLACES: &'static [&'static str] = &["wallets.stake", "claim_stake", "broadcast", "finalise"];

    fn must_reach(part: Part) -> &'static [&'static str] {
        match part {
            Part::Sending => &[
                "wallets.stake.begun",
                "claim_stake.begin",
                "claim_stake.commit",
                "claim_stake.committed",
                "broadcast.begin",
                "broadcast.answered",
                "record_accepted.committed",
            ],
            Part::Inclusion => &["blocks.fetched", "apply_blocks.commit", "apply_blocks.committed"],
            Part::Finality => &["chain.settle_final.begun", "finalise.commit", "finalise.committed"],
        }
    }

    async fn prepare(rig: &Rig) -> Self {
        Self {
            supplier: rig.supplier(10_000).await,
            id: None,
        }
    }

    async fn enter(&mut self, part: Part, rig: &Rig) {
        match part {
            Part::Sending => {
                let asked = rig.stake(self.supplier.id, staked_for("stake", "energy", 500)).await;
                self.id = Some(asked.unwrap());
            }
            Part::Inclusion => rig.mine(1),
            Part::Finality => rig.mine(3),
        }
    }

    async fn finish(self, rig: &Rig) {
        rig.wait_staking(self.id.unwrap(), StakingState::Done).await;
        let read = rig.node().wallet_snapshot(self.supplier.address).await.unwrap();
        assert_eq!(read.staked_energy_sun, 10_500 * TRX, "staked once");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_killed_at_any_step_stakes_once() {
    killed_everywhere::<StakeLife>().await;
}
