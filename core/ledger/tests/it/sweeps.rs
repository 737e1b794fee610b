//! What the house pays for energy that a sweep needs: exactly what its customer lacks, once per order.

use db::run_tx;
use kernel::{OrderId, SweepId, UserId};
use ledger::movements::{SweepEnergy, sweep_energy_in_tx};
use ledger::{Account, NetworkName};
use switchyard_ledger as ledger;
use uuid::Uuid;

use crate::support::{Books, amount, at};

const HOUSE: i64 = 1;

impl Books {
    async fn pay_for(&self, order: u128, price: i64) -> bool {
        let network: NetworkName = "nile".parse().unwrap();
        let energy = SweepEnergy {
            sweep: SweepId(Uuid::from_u128(7)),
            order: OrderId(Uuid::from_u128(order)),
            house: UserId(HOUSE),
            network,
            price: amount(price),
            at: at(),
        };
        let paid = run_tx(&self.worker, "test", async |conn| {
            sweep_energy_in_tx(conn, &energy).await
        });
        paid.await.unwrap()
    }

    async fn paid_by_house(&self) -> i128 {
        let network = "nile".parse().unwrap();
        self.house(Account::Fees { network }).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_house_gives_its_customer_what_he_lacks_and_no_more() {
    let books = Books::new().await;
    books.fund(HOUSE, 10).await;
    assert!(books.pay_for(1, 30).await);
    assert_eq!((books.trx(HOUSE).await, books.paid_by_house().await), (30, -20));
    assert!(!books.pay_for(1, 30).await, "he has it");
    assert!(!books.pay_for(2, 25).await, "what came back is used first");
    assert!(books.pay_for(3, 31).await);
    assert_eq!((books.trx(HOUSE).await, books.paid_by_house().await), (31, -21));
    books.assert_proven().await;
}
