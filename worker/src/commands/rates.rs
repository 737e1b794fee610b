//! `rates`: what TRX a USDT is worth, and a rate by hand.

use anyhow::{Context, bail, ensure};
use chrono::Duration;
use db::models::{Rate, RateKind};
use domain::DomainError;
use domain::operations::{ManualRate, clear_rate, set_rate};
use domain::rates::{NoRate, Overview, overview};
use kernel::{Amount, RandomIds};
use serde_json::{Value, json};
use settings::Settings;

use super::by_hand::ByHand;
use super::{print, report, setup};
use crate::rates::{RatesEnvironment, policy};

/// What to do with rates.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Show the rate in use, or why there is none, and what the sources said last
    Show {
        /// Answer in JSON
        #[arg(long)]
        json: bool,
    },
    /// Ask the sources now, as the schedule does
    Read,
    /// Use this rate whatever the market says, for a time and for a reason
    Set {
        /// TRX for one USDT, such as `3.52`
        rate: Amount,
        /// How long, such as `30m`, `4h` or `1d`; at most 7 days
        #[arg(long = "for", value_parser = duration)]
        lasts: Duration,
        /// It is meant to be outside of rates.lowest and rates.highest
        #[arg(long)]
        beyond_band: bool,
        #[command(flatten)]
        by: ByHand,
    },
    /// Take a rate by hand back: the market counts again
    Clear {
        #[command(flatten)]
        by: ByHand,
    },
}

pub(super) async fn run(settings: &Settings, command: Command) -> anyhow::Result<()> {
    let pool = setup::pool(settings)?;
    let clock = setup::shared_clock(&pool).await?;
    let now = clock.now();
    match command {
        Command::Show { json } => {
            let found = overview(&pool, &policy(settings)?, now).await?;
            print(&if json {
                report::json(&in_json(&found))
            } else {
                in_words(&found)
            });
        }
        Command::Read => {
            let asked = RatesEnvironment::new(settings)?;
            let read = asked
                .read(&pool, &RandomIds, clock.as_ref(), &policy(settings)?)
                .await?;
            let round = read.context("rates.sources names nobody to ask")?;
            setup::push(settings, &round.wakes).await?;
            let found = overview(&pool, &policy(settings)?, clock.now()).await?;
            print(&in_words(&found));
            if let Some(refusal) = round.judged.refused_as {
                bail!("the round is refused: {}", refusal.word());
            }
        }
        Command::Set {
            rate,
            lasts,
            beyond_band,
            by,
        } => {
            let (policy, instruction) = (policy(settings)?, by.instruction()?);
            let wanted = ManualRate {
                sun_per_usdt: rate.minor(),
                lasts,
                beyond_band,
            };
            let wakes = setup::wakes(settings)?;
            let step = async || {
                let mut done = set_rate(&pool, &RandomIds, &policy, (&instruction, &wanted), now).await?;
                wakes.push_now(&std::mem::take(&mut done.wakes)).await;
                Ok::<_, DomainError>(done)
            };
            print(&by.carry_out("set", step).await?);
        }
        Command::Clear { by } => {
            let instruction = by.instruction()?;
            let step = async || clear_rate(&pool, &RandomIds, &instruction, now).await;
            print(&by.carry_out("taken back", step).await?);
        }
    }
    Ok(())
}

/// `90s`, `30m`, `4h`, `1d`.
fn duration(text: &str) -> anyhow::Result<Duration> {
    let unit = text.chars().last().context("is empty")?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => bail!("end it with s, m, h or d"),
    };
    let number = text.strip_suffix(unit).unwrap_or_default();
    let plain = (1..=6).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
    ensure!(plain, "write it like 30m, 4h or 1d");
    Ok(Duration::seconds(number.parse::<i64>()? * seconds))
}

fn trx(sun: i64) -> String {
    Amount::from_minor(sun).map_or_else(|_| sun.to_string(), |amount| amount.to_string())
}

fn in_json(found: &Overview) -> Value {
    let current = found.current.as_ref().ok();
    let row = |rate: &Rate| {
        json!({
            "id": rate.id, "at": rate.at, "sun_per_usdt": rate.sun_per_usdt, "refused_as": rate.refused_as,
            "answers": rate.answers,
        })
    };
    json!({
        "current": current.map(|rate| json!({
            "id": rate.id, "kind": rate.kind, "at": rate.at, "ends_at": rate.ends_at, "sun_per_usdt": rate.sun_per_usdt,
            "fee_bp": rate.fee_bp, "net_sun_per_usdt": rate.net_sun_per_usdt,
        })),
        "none_because": found.current.err().map(NoRate::word),
        "last_accepted": found.accepted.as_ref().map(row),
        "last_round": found.round.as_ref().map(row),
    })
}

fn in_words(found: &Overview) -> String {
    let mut lines = vec![match &found.current {
        Ok(rate) => {
            let from = match (rate.kind, rate.ends_at) {
                (RateKind::Manual, Some(ends)) => format!("by hand until {}", report::time(ends)),
                _ => format!("of {}", report::time(rate.at)),
            };
            let (whole, net) = (trx(rate.sun_per_usdt), trx(rate.net_sun_per_usdt));
            format!(
                "1 USDT = {whole} TRX, {net} after the fee of {} bp, {from}",
                rate.fee_bp
            )
        }
        Err(none) => format!("there is no rate: {}; nothing is exchanged", none.word()),
    }];
    if let Some(round) = &found.round {
        let verdict = round.refused_as.map_or("accepted", |refusal| refusal.word());
        lines.push(format!("last round, of {}: {verdict}", report::time(round.at)));
        for answer in round.answers.as_array().into_iter().flatten() {
            let text = |key: &str| answer[key].as_str().unwrap_or("-").to_owned();
            let rate = answer["sun_per_usdt"].as_i64().map_or_else(|| text("error"), trx);
            lines.push(format!("  {:<20} {:>20}  said {}", text("source"), rate, text("text")));
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read() {
        for (text, seconds) in [("90s", 90), ("30m", 1_800), ("4h", 14_400), ("1d", 86_400)] {
            assert_eq!(duration(text).unwrap(), Duration::seconds(seconds), "{text}");
        }
        for text in ["", "30", "m", "-1h", "1.5h", "1w", "1 h", "9999999d", "1٣h"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
