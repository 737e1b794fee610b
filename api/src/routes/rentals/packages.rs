//! `GET /api/rentals/packages`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use kernel::Amount;
use serde::Serialize;
use utoipa::ToSchema;

use crate::App;

/// What is sold by transfer.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PackagesView {
    /// Where coin is sent to.
    #[schema(example = "tron")]
    network: String,
    /// Where to send it; null while nothing is sold this way.
    #[schema(example = "TLa2f6VPqDgRE67v1736s7bJ8Ray5wYjU7")]
    address: Option<String>,
    packages: Vec<PackageView>,
}

/// Energy for a time.
#[derive(Debug, Serialize, ToSchema)]
struct PackageView {
    /// TRX to send, exactly.
    #[schema(value_type = String, example = "3.200000")]
    price: Amount,
    #[schema(example = 65_000)]
    energy: i64,
    /// Seconds.
    #[schema(example = 3_600)]
    duration_s: i64,
}

/// Shows which energy is bought by sending exactly its price to an address. It goes to the sender, or to the address in the
/// transaction's memo.
#[utoipa::path(get, path = "/api/rentals/packages", tag = "rentals",
    responses((status = 200, description = "Address and packages", body = PackagesView)))]
pub(crate) async fn list_packages(State(app): State<Arc<App>>) -> Json<PackagesView> {
    let (deposits, rental) = (&app.settings.deposits, &app.settings.deposits.rental);
    let packages = rental.packages.iter().filter(|_| rental.is_on());
    Json(PackagesView {
        network: deposits.network.clone(),
        address: rental.is_on().then(|| rental.address.clone()),
        packages: packages
            .map(|package| PackageView {
                price: package.price,
                energy: package.energy,
                duration_s: package.duration_s,
            })
            .collect(),
    })
}
