//! What energy costs: the current price table, and publishing a new one.

use chrono::{DateTime, Utc};
use db::models::{OrderTerms, PreviewRow, PriceBand, PriceVersion};
use db::{Conn, Pool, acquire, run_tx, trail};
use kernel::{Amount, IdGen, PriceVersionId};
use serde_json::json;
use uuid::Uuid;

use crate::DomainError;

/// The price of one order under one version of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Price {
    /// What the user pays, in sun.
    pub amount: Amount,
    /// The table it comes from.
    pub version: PriceVersionId,
}

/// One line of a price table to publish. Bounds are inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
pub struct Band {
    /// Least energy.
    pub energy_min: i64,
    /// Most energy.
    pub energy_max: i64,
    /// Shortest rental, seconds.
    pub duration_min_s: i32,
    /// Longest rental, seconds.
    pub duration_max_s: i32,
    /// Thousandths of a sun for one unit of energy over the whole rental.
    pub price_millisun_per_energy: i64,
}

/// `energy × price / 1000` sun, rounded up (in the house's favour, by less than a sun).
fn price_sun(energy: i64, price_millisun_per_energy: i64) -> Option<Amount> {
    let millisun = i128::from(energy).checked_mul(i128::from(price_millisun_per_energy))?;
    let sun = i64::try_from(millisun.checked_add(999)?.checked_div(1000)?).ok()?;
    Amount::from_minor(sun).ok()
}

/// What this much energy costs on these terms.
///
/// # Errors
/// [`DomainError::NoPrice`] when no band of the current table covers it.
pub fn price_of(terms: &OrderTerms, energy: i64) -> Result<Price, DomainError> {
    let band = terms.price_version_id.zip(terms.price_millisun_per_energy);
    let (version, price) = band.ok_or(DomainError::NoPrice)?;
    let amount = price_sun(energy, price).ok_or(DomainError::NoPrice)?;
    Ok(Price {
        amount,
        version: PriceVersionId(version),
    })
}

/// The current table.
///
/// # Errors
/// [`DomainError::NotFound`] when none was published yet.
pub async fn current(pool: &Pool) -> Result<(PriceVersion, Vec<PriceBand>), DomainError> {
    let mut conn = acquire(pool).await?;
    let version = PriceVersion::current(&mut conn)
        .await?
        .ok_or(DomainError::NotFound("price table"))?;
    let bands = PriceBand::of_version(&mut conn, version.id).await?;
    Ok((version, bands))
}

/// Publishes a table; from then on it is the current one.
///
/// # Errors
/// [`DomainError::BadPriceTable`] when bands are empty, reversed or overlap.
pub async fn publish(
    pool: &Pool,
    ids: &dyn IdGen,
    bands: &[Band],
    (note, actor): (&str, &str),
    now: DateTime<Utc>,
) -> Result<PriceVersionId, DomainError> {
    run_tx(pool, "publish_prices", async |conn| {
        publish_in_tx(conn, ids, bands, (note, actor), now).await
    })
    .await
}

/// The same in a transaction of the caller's.
pub(crate) async fn publish_in_tx(
    conn: &mut Conn,
    ids: &dyn IdGen,
    bands: &[Band],
    (note, actor): (&str, &str),
    now: DateTime<Utc>,
) -> Result<PriceVersionId, DomainError> {
    check(bands)?;
    let version = PriceVersion {
        id: ids.uuid(),
        note: note.to_owned(),
        actor: actor.to_owned(),
        published_at: now,
    };
    let rows = rows(bands, version.id);
    trail::changed(|| json!({ "price_version": version.id, "note": note, "bands": bands }));
    version.publish(conn, &rows).await?;
    Ok(PriceVersionId(version.id))
}

/// What a day's orders would have brought in under a table, band by band; those that no band covers come last. Nothing is written
/// but that somebody asked.
///
/// # Errors
/// [`DomainError::BadPriceTable`], or a database failure.
pub async fn preview(
    pool: &Pool,
    bands: &[Band],
    (from, to): (DateTime<Utc>, DateTime<Utc>),
) -> Result<Vec<PreviewRow>, DomainError> {
    check(bands)?;
    let rows = rows(bands, Uuid::nil());
    run_tx(pool, "preview_prices", async |conn| {
        Ok(PreviewRow::of(conn, &rows, (from, to)).await?)
    })
    .await
}

fn rows(bands: &[Band], version_id: Uuid) -> Vec<PriceBand> {
    let row = |band: &Band| PriceBand {
        version_id,
        energy_min: band.energy_min,
        energy_max: band.energy_max,
        duration_min_s: band.duration_min_s,
        duration_max_s: band.duration_max_s,
        price_millisun_per_energy: band.price_millisun_per_energy,
    };
    bands.iter().map(row).collect()
}

/// Whether a table can be one.
pub(crate) fn check(bands: &[Band]) -> Result<(), DomainError> {
    if bands.is_empty() || bands.len() > 1000 {
        return Err(DomainError::BadPriceTable("between 1 and 1000 bands"));
    }
    for (n, band) in bands.iter().enumerate() {
        let positive = band.energy_min > 0 && band.duration_min_s > 0;
        if !positive || band.energy_max < band.energy_min || band.duration_max_s < band.duration_min_s {
            return Err(DomainError::BadPriceTable(
                "bounds must be positive and min at most max",
            ));
        }
        if !(1..=1_000_000_000).contains(&band.price_millisun_per_energy) {
            return Err(DomainError::BadPriceTable(
                "price_millisun_per_energy must be between 1 and 10^9",
            ));
        }
        let overlaps = |other: &Band| {
            band.energy_min <= other.energy_max
                && other.energy_min <= band.energy_max
                && band.duration_min_s <= other.duration_max_s
                && other.duration_min_s <= band.duration_max_s
        };
        if bands.iter().skip(n + 1).any(overlaps) {
            return Err(DomainError::BadPriceTable(
                "bands overlap: one energy and duration must have one price",
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_round_up_and_do_not_overflow() {
        assert_eq!(price_sun(65_000, 50_000).map(Amount::minor), Some(3_250_000));
        assert_eq!(price_sun(1, 1).map(Amount::minor), Some(1));
        assert_eq!(price_sun(1001, 1).map(Amount::minor), Some(2));
        assert_eq!(price_sun(i64::MAX, 1_000_000_000), None);
    }

    #[test]
    fn a_table_has_one_price_for_each_case() {
        let band = Band {
            energy_min: 1,
            energy_max: 100,
            duration_min_s: 60,
            duration_max_s: 3600,
            price_millisun_per_energy: 5,
        };
        assert!(check(&[band]).is_ok());
        assert!(check(&[]).is_err());
        assert!(
            check(&[
                band,
                Band {
                    energy_min: 100,
                    energy_max: 200,
                    ..band
                }
            ])
            .is_err()
        );
        assert!(
            check(&[
                band,
                Band {
                    energy_min: 101,
                    energy_max: 200,
                    ..band
                }
            ])
            .is_ok()
        );
        assert!(
            check(&[
                band,
                Band {
                    duration_min_s: 3601,
                    duration_max_s: 9000,
                    ..band
                }
            ])
            .is_ok()
        );
        assert!(check(&[Band { energy_max: 0, ..band }]).is_err());
        assert!(
            check(&[Band {
                price_millisun_per_energy: 0,
                ..band
            }])
            .is_err()
        );
    }
}
