//! The lives of a sweep of coin and of one of tokens, from planning to the end, under a worker that dies: it is collected once.

use ::chain::TronAddress;
use db::models::SweepState;
use jobs::JobKind;

use super::Life;
use super::kills::killed_everywhere;
use crate::harness::{NETWORK, Payer, Rig, TRX, Treasury, trx, usdt_paid as usdt};

/// The life of a sweep in parts, each of which begins with something from outside and ends when all work is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// The schedule asks: planned, claimed, signed, stored, sent.
    Sending,
    /// A block carries it.
    Inclusion,
    /// That block is solidified: the sweep is over, what it took is marked.
    Finality,
}

/// One sweep.
struct SweepLife {
    treasury: Treasury,
    address: TronAddress,
}

impl Life for SweepLife {
    type Part = Part;
    const PARTS: &'static [Part] = &[Part::Sending, Part::Inclusion, Part::Finality];

    fn must_reach(part: Part) -> &'static [&'static str] {
        match part {
            Part::Sending => &[
                "deposits.plan_sweeps.begun",
                "plan_sweeps.begin",
                "plan_sweeps.commit",
                "plan_sweeps.committed",
                "deposits.sweep.begun",
                "claim_sweep.begin",
                "claim_sweep.commit",
                "claim_sweep.committed",
                "broadcast.begin",
                "broadcast.answered",
                "record_accepted.committed",
            ],
            Part::Inclusion => &["blocks.fetched", "apply_blocks.commit", "apply_blocks.committed"],
            Part::Finality => &["chain.settle_final.begun", "finalise.commit", "finalise.committed"],
        }
    }

    async fn prepare(rig: &Rig) -> Self {
        let treasury = rig.treasury(1_000, 0).await;
        rig.keep_account().await;
        let address = rig.paid_in(&Payer::new(rig), 1, trx(30)).await;
        Self { treasury, address }
    }

    async fn enter(&mut self, part: Part, rig: &Rig) {
        match part {
            Part::Sending => rig.ask(JobKind::DepositsPlanSweeps, NETWORK).await,
            Part::Inclusion => rig.mine(1),
            Part::Finality => rig.mine(3),
        }
    }

    async fn finish(self, rig: &Rig) {
        rig.wait_sweeps(SweepState::Completed).await;
        assert_eq!(rig.sweeps().await.len(), 1);
        assert_eq!(rig.sun_of(self.address).await, 0);
        assert_eq!(rig.sun_of(self.treasury.address).await, 1_030 * TRX, "collected once");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_killed_at_any_step_collects_once() {
    killed_everywhere::<SweepLife>().await;
}

/// The life of a sweep of tokens from an address that never got coin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TokenPart {
    /// The schedule asks: planned, and coin is on its way so that the address exists.
    Activation,
    /// That coin is final: energy is ordered, and its delegation sent.
    Ordering,
    /// The delegation is final.
    Lending,
    /// The energy is found to be there: claimed, signed, stored, sent.
    Sending,
    /// A block carries it, and is solidified.
    Finality,
}

struct TokenSweepLife {
    treasury: Treasury,
    address: TronAddress,
}

impl Life for TokenSweepLife {
    type Part = TokenPart;
    const PARTS: &'static [TokenPart] = &[
        TokenPart::Activation,
        TokenPart::Ordering,
        TokenPart::Lending,
        TokenPart::Sending,
        TokenPart::Finality,
    ];
    const PLACES: &'static [&'static str] = &[
        "deposits.sweep",
        "plan_sweeps",
        "claim_",
        "rent_for_sweep",
        "broadcast",
        "finalise",
    ];

    fn must_reach(part: TokenPart) -> &'static [&'static str] {
        match part {
            TokenPart::Activation => &[
                "plan_sweeps.committed",
                "claim_activation.begin",
                "claim_activation.commit",
                "claim_activation.committed",
                "broadcast.begin",
                "broadcast.answered",
            ],
            TokenPart::Ordering => &[
                "finalise.committed",
                "rent_for_sweep.begin",
                "rent_for_sweep.commit",
                "rent_for_sweep.committed",
            ],
            TokenPart::Lending => &["finalise.commit", "finalise.committed"],
            TokenPart::Sending => &["claim_sweep.begin", "claim_sweep.commit", "claim_sweep.committed"],
            TokenPart::Finality => &["apply_blocks.committed", "finalise.commit", "finalise.committed"],
        }
    }

    async fn prepare(rig: &Rig) -> Self {
        rig.supplier(1_000_000).await;
        let treasury = rig.treasury(100, 500).await;
        rig.keep_account().await;
        let address = rig.paid_in(&Payer::new(rig), 1, usdt(30)).await;
        Self { treasury, address }
    }

    async fn enter(&mut self, part: TokenPart, rig: &Rig) {
        match part {
            TokenPart::Activation => rig.ask(JobKind::DepositsPlanSweeps, NETWORK).await,
            // what is sent in one part is carried by a block of the next, and the three after it make that solid
            TokenPart::Ordering | TokenPart::Lending | TokenPart::Finality => rig.mine(4),
            // by now it is looked at again: half a minute after the order, to which the tests' own real time counts
            TokenPart::Sending => rig.mine(11),
        }
    }

    async fn finish(self, rig: &Rig) {
        rig.wait_sweeps(SweepState::Completed).await;
        assert_eq!(rig.sweeps().await.len(), 1);
        assert_eq!(rig.usdt_of(self.address).await, 0);
        assert_eq!(rig.usdt_of(self.treasury.address).await, 530_000_000, "collected once");
        assert_eq!(rig.sun_of(self.address).await, 1, "and activated once");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_killed_at_any_step_collects_tokens_once() {
    killed_everywhere::<TokenSweepLife>().await;
}
