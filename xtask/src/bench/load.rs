//! Lists of requests, handed to the load generator, and what it answered.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::cpu;
use super::limits::output;
use crate::interrupt::Interrupt;
use crate::stage::http::Http;

/// Users of the bench are numbered from here.
pub(crate) const FIRST_USER: usize = 100_001;
const ENERGY: i64 = 65_000;
/// Longer than any run: nothing is taken back while we measure.
pub(crate) const RENTAL_S: i64 = 86_400;

/// A request's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Microseconds since 1970.
    pub(crate) start_us: i64,
    pub(crate) took_us: i64,
    /// The resource's id.
    pub(crate) id: String,
}

/// What came of a list of requests.
pub(crate) struct Answers {
    pub(crate) answers: Vec<Answer>,
    /// From the first start to the last answer.
    pub(crate) seconds: f64,
    /// What the load generator itself used.
    pub(crate) cpu_ms: Option<u64>,
}

/// Who sends, and where.
pub(crate) struct Sender<'a> {
    pub(crate) interrupt: &'a Interrupt,
    pub(crate) binaries: &'a Path,
    pub(crate) home: &'a Path,
    pub(crate) connections: u32,
}

/// A list of requests.
#[derive(Default)]
pub(crate) struct Requests(String);

impl Requests {
    fn add(&mut self, path: &str, once: &str, body: &Value) {
        let written = writeln!(self.0, "{path}\t{once}\t{body}");
        debug_assert!(written.is_ok(), "a string takes every line");
    }

    /// So much TRX for each user.
    pub(crate) fn deposits(users: usize, trx: i64) -> Self {
        let mut requests = Self::default();
        for user in FIRST_USER..FIRST_USER + users {
            let body = json!({ "amount": trx.to_string(), "asset": "TRX", "reason": "bench" });
            requests.add(&format!("/api/users/{user}/deposit"), &format!("deposit-{user}"), &body);
        }
        requests
    }

    /// `count` orders, one user after the other; each user has an address of its own. `series` tells them from others.
    pub(crate) fn orders(series: &str, count: usize, users: usize, receivers: &[String]) -> Self {
        let mut requests = Self::default();
        for n in 0..count {
            let body = json!({
                "user_id": FIRST_USER + n % users, "receiver": receivers[n % users % receivers.len()],
                "energy": ENERGY, "duration_s": RENTAL_S,
            });
            requests.add("/api/orders", &format!("{series}-{n}"), &body);
        }
        requests
    }
}

impl Sender<'_> {
    /// Sends them all, at `rate` a second or as fast as they are answered.
    pub(crate) fn send(&self, to: &Http, requests: &Requests, rate: Option<f64>) -> Result<Answers> {
        let (list, answers) = (self.home.join("requests.tsv"), self.home.join("answers.tsv"));
        std::fs::write(&list, &requests.0).context("cannot write the requests")?;
        let mut command = Command::new(self.binaries.join("switchyard-load"));
        command
            .args(["run", "--to", to.base.trim_start_matches("http://")])
            .arg("--requests")
            .arg(&list)
            .arg("--answers")
            .arg(&answers)
            .args(["--connections", &self.connections.to_string()])
            .env("LOAD_API_KEY", to.api_key.as_deref().unwrap_or_default());
        if let Some(rate) = rate {
            command.args(["--rate", &rate.to_string()]);
        }
        let before = cpu::of_ended_children();
        output(self.interrupt, &mut command, self.home)?;
        let cpu_ms = cpu::of_ended_children()
            .zip(before)
            .map(|(after, before)| after - before);
        let text = std::fs::read_to_string(&answers).context("cannot read the answers")?;
        let answers = parse(&text)?;
        let end = answers.iter().map(|answer| answer.start_us + answer.took_us).max();
        let mut answers = Answers {
            answers,
            seconds: 0.0,
            cpu_ms,
        };
        answers.seconds = micros(end.unwrap_or_default() - answers.begin_us());
        Ok(answers)
    }

    /// Addresses that nobody has the key of.
    pub(crate) fn addresses(&self, count: usize) -> Result<Vec<String>> {
        let mut command = Command::new(self.binaries.join("switchyard-load"));
        command.args(["addresses", "--count", &count.to_string()]);
        let text = output(self.interrupt, &mut command, self.home)?;
        Ok(text.lines().map(str::to_owned).collect())
    }
}

impl Answers {
    /// An error unless every request was carried out.
    pub(crate) fn all_good(&self) -> Result<()> {
        let mut refused: HashMap<u16, usize> = HashMap::new();
        for answer in self
            .answers
            .iter()
            .filter(|answer| !(200..300).contains(&answer.status))
        {
            *refused.entry(answer.status).or_default() += 1;
        }
        if !refused.is_empty() {
            bail!("requests were refused, by status: {refused:?}; see tools.log");
        }
        Ok(())
    }

    /// When the first request started.
    pub(crate) fn begin_us(&self) -> i64 {
        let starts = self.answers.iter().map(|answer| answer.start_us);
        starts.min().unwrap_or_default()
    }

    /// Microseconds that each took.
    pub(crate) fn took_us(&self) -> Vec<i64> {
        self.answers.iter().map(|answer| answer.took_us).collect()
    }
}

/// Microseconds as seconds.
#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
pub(crate) fn micros(us: i64) -> f64 {
    us as f64 / 1e6
}

fn parse(text: &str) -> Result<Vec<Answer>> {
    let answer = |line: &str| {
        let fields: Vec<&str> = line.split('\t').collect();
        let &[_, status, start_us, took_us, id] = &fields[..] else {
            bail!("the load generator wrote a line of {} fields", fields.len());
        };
        Ok(Answer {
            status: status.parse().context("a status")?,
            start_us: start_us.parse().context("microseconds")?,
            took_us: took_us.parse().context("microseconds")?,
            id: id.to_owned(),
        })
    };
    text.lines().map(answer).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_refused_is_told() {
        let text = "a-0\t201\t1000000\t2500\t018f\na-1\t422\t1001000\t900\t\n";
        let answers = Answers {
            answers: parse(text).unwrap(),
            seconds: 0.0,
            cpu_ms: None,
        };
        assert_eq!(answers.answers[0].id, "018f");
        assert_eq!(answers.took_us(), [2_500, 900]);
        assert!(answers.all_good().unwrap_err().to_string().contains("422: 1"));
        assert!(parse("a-0\t201").is_err());
    }

    #[test]
    fn orders_go_round_the_users() {
        let receivers = ["TA".to_owned(), "TB".to_owned()];
        let Requests(text) = Requests::orders("s", 3, 2, &receivers);
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].starts_with("/api/orders\ts-0\t{") && lines[0].contains("\"user_id\":100001"));
        assert!(lines[1].contains("\"user_id\":100002") && lines[1].contains("\"TB\""));
        assert!(lines[2].contains("\"user_id\":100001") && lines[2].contains("\"TA\""));
    }
}
