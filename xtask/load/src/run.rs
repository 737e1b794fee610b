//! Sending a list of requests: each connection on a thread of its own takes the next one. With a rate, every request has
//! a moment at which it is due, and its time counts from there: a server that falls behind does not make the load lighter.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use kernel::{Clock, SystemClock};

use crate::http::{Answer, Connection};

/// How to send.
pub(crate) struct Load<'a> {
    pub(crate) to: &'a str,
    pub(crate) api_key: &'a str,
    pub(crate) connections: usize,
    pub(crate) rate: Option<f64>,
}

/// One line of the file.
struct Request<'a> {
    path: &'a str,
    once: &'a str,
    body: &'a str,
}

/// What all threads share.
struct Shared<'a> {
    load: &'a Load<'a>,
    requests: &'a [Request<'a>],
    next: AtomicUsize,
    begin: Instant,
    begin_us: i64,
}

impl Load<'_> {
    /// Sends them all; answers one line for each.
    pub(crate) fn run(&self, text: &str) -> Result<String> {
        let requests = text.lines().map(Request::parse).collect::<Result<Vec<_>>>()?;
        if self.connections == 0 || self.rate.is_some_and(|rate| !(rate > 0.0 && rate.is_finite())) {
            bail!("connections and rate must be positive");
        }
        let shared = Shared {
            load: self,
            requests: &requests,
            next: AtomicUsize::new(0),
            begin: Instant::now(),
            begin_us: SystemClock.now().timestamp_micros(),
        };
        thread::scope(|scope| {
            let threads: Vec<_> = (0..self.connections).map(|_| scope.spawn(|| shared.work())).collect();
            let mut told = String::new();
            for thread in threads {
                match thread.join() {
                    Ok(lines) => told.push_str(&lines),
                    Err(_) => bail!("a thread ended badly"),
                }
            }
            Ok(told)
        })
    }
}

impl<'a> Request<'a> {
    fn parse(line: &'a str) -> Result<Self> {
        let mut fields = line.splitn(3, '\t');
        let mut next = || fields.next().context("a request has three fields");
        Ok(Self {
            path: next()?,
            once: next()?,
            body: next()?,
        })
    }
}

impl Shared<'_> {
    /// Takes requests until there are none left.
    fn work(&self) -> String {
        let mut connection = None;
        let mut lines = String::new();
        loop {
            let n = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(request) = self.requests.get(n) else {
                return lines;
            };
            let start = self.start_of(n);
            let answer = self.send(&mut connection, request);
            let took = self.begin.elapsed().saturating_sub(start);
            let (status, id) = match &answer {
                Ok(answer) => {
                    if !(200..300).contains(&answer.status) {
                        eprintln!("{}: {} {}", request.once, answer.status, answer.body);
                    }
                    (answer.status, id_of(&answer.body).unwrap_or_default())
                }
                Err(error) => {
                    eprintln!("{}: {error:#}", request.once);
                    connection = None;
                    (0, "")
                }
            };
            let start_us = self.begin_us + i64::try_from(start.as_micros()).unwrap_or(i64::MAX);
            let written = writeln!(
                lines,
                "{}\t{status}\t{start_us}\t{}\t{id}",
                request.once,
                took.as_micros()
            );
            debug_assert!(written.is_ok(), "a string takes every line");
        }
    }

    /// When a request starts, counted from the begin: now, or when it is due, which is waited for.
    fn start_of(&self, n: usize) -> Duration {
        let Some(rate) = self.load.rate else {
            return self.begin.elapsed();
        };
        #[expect(clippy::cast_precision_loss, reason = "far fewer requests than 2^52")]
        let due = Duration::from_secs_f64(n as f64 / rate);
        thread::sleep(due.saturating_sub(self.begin.elapsed()));
        due
    }

    fn send(&self, connection: &mut Option<Connection>, request: &Request<'_>) -> Result<Answer> {
        let open = match connection {
            Some(open) => open,
            None => connection.insert(Connection::open(self.load.to)?),
        };
        open.post(request.path, (self.load.api_key, request.once), request.body)
    }
}

/// The value of the answer's first `"id"`, a string or a number.
fn id_of(body: &str) -> Option<&str> {
    let rest = body.split_once("\"id\":")?.1.trim_start();
    match rest.strip_prefix('"') {
        Some(text) => text.split('"').next(),
        None => rest.split([',', '}']).next().map(str::trim_end),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_whatever_they_are() {
        assert_eq!(id_of("{\"id\":\"018f-a\",\"state\":\"pending\"}"), Some("018f-a"));
        assert_eq!(id_of("{\"user\": 1, \"id\": 42 }"), Some("42"));
        assert_eq!(id_of("{}"), None);
    }

    #[test]
    fn nobody_there_is_an_answer_too() {
        let load = Load {
            to: "127.0.0.1:1",
            api_key: "sk",
            connections: 2,
            rate: Some(1_000.0),
        };
        let told = load.run("/a\tk1\t{}\n/a\tk2\t{}\n").unwrap();
        let mut lines: Vec<&str> = told.lines().collect();
        lines.sort_unstable();
        assert_eq!(lines.len(), 2);
        assert!(
            lines[0].starts_with("k1\t0\t") && lines[1].starts_with("k2\t0\t"),
            "{told}"
        );
        assert!(load.run("/a\tk1").is_err());
    }
}
