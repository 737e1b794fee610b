//! Whom to ask what TRX a USDT is worth, out of the settings; and the asking itself, before any transaction.

use std::time::Duration;

use anyhow::Context;
use db::Pool;
use domain::rates::{RatePolicy, Round, SourceAnswer, record_round};
use kernel::{Clock, IdGen};
use metrics::counter;
use quotes::{Answer, QuoteClient, QuotePolicy, Quotes, Source};
use settings::{RateQuote, Settings};

use crate::error::WorkError;

/// The sources of the rate.
#[derive(Debug, Clone)]
pub struct RatesEnvironment {
    /// Asks them.
    pub client: QuoteClient,
    /// Whom to ask; with nobody, there are rates by hand alone.
    pub sources: Vec<Source>,
}

impl RatesEnvironment {
    /// As the settings say.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(settings: &Settings) -> anyhow::Result<Self> {
        let rates = &settings.rates;
        let client = QuoteClient::new(QuotePolicy {
            timeout: Duration::from_millis(rates.timeout_ms),
            max_bytes: rates.max_answer_bytes,
            plain_http: rates.allow_plain_http,
        });
        let source = |source: &settings::RateSource| Source {
            name: source.name.clone(),
            url: source.url.clone(),
            pointer: source.pointer.clone(),
            quotes: match source.quotes {
                RateQuote::UsdtPerTrx => Quotes::UsdtPerTrx,
                RateQuote::TrxPerUsdt => Quotes::TrxPerUsdt,
            },
        };
        Ok(Self {
            client: client.context("sources of rates cannot be asked")?,
            sources: rates.sources.iter().map(source).collect(),
        })
    }

    /// Asks all sources, and stores and judges what they say; `None` where there is nobody to ask.
    ///
    /// # Errors
    /// When the database fails. That sources fail is no error: the round says so.
    pub async fn read(
        &self,
        pool: &Pool,
        ids: &dyn IdGen,
        clock: &dyn Clock,
        policy: &RatePolicy,
    ) -> Result<Option<Round>, WorkError> {
        if self.sources.is_empty() {
            return Ok(None);
        }
        let asked_at = clock.now();
        let answers = self.client.ask_all(&self.sources).await;
        answers.iter().for_each(count);
        let answers: Vec<SourceAnswer> = answers.into_iter().map(told).collect();
        let round = record_round(pool, ids, policy, (&answers, asked_at), clock.now()).await?;
        if let Some(refusal) = round.judged.refused_as {
            let failed = answers.iter().filter(|answer| answer.rate.is_err()).count();
            tracing::warn!(refused_as = refusal.word(), failed, "a round of rates is not used");
        }
        Ok(Some(round))
    }
}

/// What is believed of sources, as the settings say.
///
/// # Errors
/// When a number does not fit.
pub fn policy(settings: &Settings) -> anyhow::Result<RatePolicy> {
    let rates = &settings.rates;
    Ok(RatePolicy {
        min_sources: rates.min_sources,
        max_spread_bp: rates.max_spread_bp,
        lowest: rates.lowest.minor(),
        highest: rates.highest.minor(),
        max_step_bp: rates.max_step_bp,
        stale_after: chrono::Duration::seconds(i64::try_from(rates.stale_after_s)?),
        fee_bp: rates.fee_bp,
    })
}

fn count(answer: &Answer) {
    let outcome = answer.rate.map_or_else(quotes::QuoteError::word, |_| "ok");
    counter!("switchyard_rate_answers_total", "source" => answer.source.clone(), "outcome" => outcome).increment(1);
    if let Err(error) = answer.rate {
        tracing::info!(source = answer.source, %error, said = answer.text, "a source gave no rate");
    }
}

fn told(answer: Answer) -> SourceAnswer {
    SourceAnswer {
        source: answer.source,
        text: answer.text,
        rate: answer.rate.map_err(quotes::QuoteError::word),
    }
}
