//! The life of two transfers for energy, one that buys it and one that comes back, under a worker that dies: the one is
//! delivered once, the other is paid back once.

use super::Life;
use super::kills::killed_everywhere;
use crate::harness::{Payer, RENTAL_ADDRESS, Rig, Sent, TRX};

/// The life in parts, each of which begins with something from outside and ends when all work is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// A block carries both transfers.
    Arrival,
    /// That block is solidified: credited, ordered and delegated; set aside and sent back.
    Finality,
    /// A block carries the delegation and the payout.
    Inclusion,
    /// That block is solidified: both are settled, and both rentals hear of it.
    Ends,
}

struct RentalLife {
    payer: Payer,
    before: i64,
}

impl Life for RentalLife {
    type Part = Part;
    const PARTS: &'static [Part] = &[Part::Arrival, Part::Finality, Part::Inclusion, Part::Ends];
    const PLACES: &'static [&'static str] = &["deposits.", "credit_deposits", "advance_rental", "claim_", "finalise"];

    fn must_reach(part: Part) -> &'static [&'static str] {
        match part {
            Part::Arrival => &["blocks.fetched", "apply_blocks.commit", "apply_blocks.committed"],
            Part::Finality => &[
                "deposits.credit.begun",
                "credit_deposits.commit",
                "credit_deposits.committed",
                "deposits.rent.begun",
                "advance_rental.begin",
                "advance_rental.commit",
                "advance_rental.committed",
                "claim_payout.committed",
            ],
            Part::Inclusion => &["apply_blocks.commit", "apply_blocks.committed"],
            Part::Ends => &["finalise.commit", "advance_rental.commit", "advance_rental.committed"],
        }
    }

    async fn prepare(rig: &Rig) -> Self {
        rig.supplier(1_000_000).await;
        rig.treasury(1_000, 0).await;
        rig.sell_by_transfer().await;
        let payer = Payer::new(rig);
        rig.register_wallet(1, payer.address()).await;
        let before = rig.sun_of(payer.address()).await;
        Self { payer, before }
    }

    async fn enter(&mut self, part: Part, rig: &Rig) {
        match part {
            Part::Arrival => {
                let to = RENTAL_ADDRESS.parse().unwrap();
                self.payer.pay(rig, to, Sent::Trx(4 * TRX)).await;
                self.payer.pay(rig, to, Sent::Trx(7 * TRX)).await;
                rig.mine(1);
            }
            Part::Finality => rig.mine(3),
            Part::Inclusion => rig.mine(1),
            // far enough for them to be looked at again
            Part::Ends => rig.mine(8),
        }
    }

    async fn finish(self, rig: &Rig) {
        rig.wait_rentals(&["delivered", "returned no_package"]).await;
        let paid = self.before - rig.sun_of(self.payer.address()).await;
        assert_eq!(paid, 4 * TRX, "7 came back once");
        assert_eq!(rig.count("SELECT count(*) AS n FROM orders").await, 1);
        assert_eq!(rig.count("SELECT count(*) AS n FROM payouts").await, 1);
        assert_eq!(rig.renters_sun().await, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_killed_at_any_step_delivers_once_and_pays_back_once() {
    killed_everywhere::<RentalLife>().await;
}
