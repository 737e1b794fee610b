//! What goes wrong on purpose: rules, which calls they meet, what they do to them.

use serde::{Deserialize, Serialize};

use crate::error::DevnetError;

const MAX_RULES: usize = 64;
const MAX_LATENCY_MS: u64 = 60_000;
const MAX_TEXT: usize = 4_096;

/// Which calls a rule meets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Match {
    /// A whole path such as `/wallet/broadcasthex`, or its last part. Any if missing.
    pub path: Option<String>,
    /// `GET` or `POST`. Any if missing.
    pub method: Option<String>,
    /// The first matching call that is met, counted from 1 since the rule was added. 1 if missing.
    pub nth: Option<u64>,
    /// Only each so-manieth of them, beginning with `nth`. Each if missing.
    pub every: Option<u64>,
    /// How many calls are met. All from `nth` on if missing.
    pub count: Option<u64>,
}

/// What happens to a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The answer comes later by so many milliseconds.
    LatencyMs(u64),
    /// Another status and body; nothing is done.
    HttpStatus {
        /// 100 to 599.
        status: u16,
        /// The body.
        #[serde(default)]
        body: String,
    },
    /// The call is done, and half of the answer arrives, as if it were whole.
    TruncateJson,
    /// The connection breaks off without an answer.
    DropConnection {
        /// Whether the call is done all the same.
        #[serde(default)]
        processed: bool,
    },
    /// A broadcast is answered with SUCCESS if it is valid, and forgotten.
    AcceptAndDrop,
    /// The same, and whenever the transaction comes again: no block ever has it.
    AcceptAndLose,
    /// A valid broadcast is pooled, and the answer says that it was refused.
    RefuseButInclude {
        /// Response code, `OTHER_ERROR` if missing.
        #[serde(default = "other_error")]
        code: String,
        /// Message.
        #[serde(default)]
        message: String,
    },
    /// A broadcast is answered with DUP_TRANSACTION_ERROR and forgotten.
    DuplicateAnswer,
    /// A broadcast is answered with SERVER_BUSY and forgotten.
    ServerBusy,
    /// Receipts come without logs.
    MissingLogs,
    /// Receipts come without internal transactions, as from a node that does not keep them.
    MissingInternal,
    /// `gettransactioninfobyblocknum` answers an empty list.
    MissingInfos,
    /// Blocks come without transactions, and with headers that say that there are none.
    EmptyBlocks,
    /// Questions for the newest block are answered with an older one.
    StaleHead {
        /// By how many blocks.
        by: i64,
    },
}

fn other_error() -> String {
    "OTHER_ERROR".to_owned()
}

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultRule {
    /// Which calls.
    #[serde(rename = "match", default)]
    pub on: Match,
    /// What happens to them.
    pub fault: Fault,
}

impl FaultRule {
    /// A fault of every call of `path`.
    #[must_use]
    pub fn always(path: &str, fault: Fault) -> Self {
        Self {
            on: Match {
                path: Some(path.to_owned()),
                ..Match::default()
            },
            fault,
        }
    }

    /// A fault of the next `count` calls of `path`.
    #[must_use]
    pub fn times(path: &str, count: u64, fault: Fault) -> Self {
        Self {
            on: Match {
                path: Some(path.to_owned()),
                count: Some(count),
                ..Match::default()
            },
            fault,
        }
    }

    fn check(&self) -> Result<(), DevnetError> {
        let fits = match &self.fault {
            Fault::LatencyMs(ms) => *ms <= MAX_LATENCY_MS,
            Fault::HttpStatus { status, body } => (100..600).contains(status) && body.len() <= MAX_TEXT,
            Fault::RefuseButInclude { code, message } => code.len() <= MAX_TEXT && message.len() <= MAX_TEXT,
            Fault::StaleHead { by } => *by >= 0,
            _ => true,
        };
        if fits {
            Ok(())
        } else {
            Err(DevnetError::Invalid("fault out of bounds".to_owned()))
        }
    }

    fn concerns(&self, path: &str, method: &str) -> bool {
        let path_fits = self
            .on
            .path
            .as_ref()
            .is_none_or(|wanted| path == wanted || path.rsplit('/').next().is_some_and(|last| last == wanted));
        path_fits
            && self
                .on
                .method
                .as_ref()
                .is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
    }
}

/// How a broadcast is answered instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reply {
    /// As the chain judges, but nothing is pooled.
    AcceptAndDrop,
    /// The same, for good.
    AcceptAndLose,
    /// With this code; pooled before if `include`.
    Say {
        code: String,
        message: String,
        include: bool,
    },
}

/// How an answer is broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Broken {
    /// Another status.
    Status { status: u16, body: String },
    /// Half of the JSON.
    Json,
    /// No answer.
    Connection { processed: bool },
}

/// All that goes wrong with one call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Applied {
    pub(crate) latency_ms: u64,
    pub(crate) broken: Option<Broken>,
    pub(crate) reply: Option<Reply>,
    pub(crate) missing_logs: bool,
    /// Receipts without internal transactions.
    pub(crate) missing_internal: bool,
    pub(crate) missing_infos: bool,
    pub(crate) empty_blocks: bool,
    pub(crate) stale_by: i64,
}

impl Applied {
    fn add(&mut self, fault: &Fault) {
        let say = |code: &str, message: &str, include| {
            Some(Reply::Say {
                code: code.to_owned(),
                message: message.to_owned(),
                include,
            })
        };
        match fault {
            Fault::LatencyMs(ms) => self.latency_ms = self.latency_ms.saturating_add(*ms).min(MAX_LATENCY_MS),
            Fault::HttpStatus { status, body } => {
                self.broken = Some(Broken::Status {
                    status: *status,
                    body: body.clone(),
                });
            }
            Fault::TruncateJson => self.broken = Some(Broken::Json),
            Fault::DropConnection { processed } => self.broken = Some(Broken::Connection { processed: *processed }),
            Fault::AcceptAndDrop => self.reply = Some(Reply::AcceptAndDrop),
            Fault::AcceptAndLose => self.reply = Some(Reply::AcceptAndLose),
            Fault::RefuseButInclude { code, message } => self.reply = say(code, message, true),
            Fault::DuplicateAnswer => {
                self.reply = say("DUP_TRANSACTION_ERROR", "Transaction already exists.", false);
            }
            Fault::ServerBusy => self.reply = say("SERVER_BUSY", "Server busy.", false),
            Fault::MissingLogs => self.missing_logs = true,
            Fault::MissingInternal => self.missing_internal = true,
            Fault::MissingInfos => self.missing_infos = true,
            Fault::EmptyBlocks => self.empty_blocks = true,
            Fault::StaleHead { by } => self.stale_by = *by,
        }
    }
}

/// The rules in force.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    rules: Vec<(FaultRule, u64)>,
}

impl Faults {
    /// Adds a rule.
    pub(crate) fn add(&mut self, rule: FaultRule) -> Result<(), DevnetError> {
        rule.check()?;
        if self.rules.len() >= MAX_RULES {
            return Err(DevnetError::Invalid(format!("at most {MAX_RULES} fault rules")));
        }
        self.rules.push((rule, 0));
        Ok(())
    }

    /// Removes all.
    pub(crate) fn clear(&mut self) {
        self.rules.clear();
    }

    /// The rules with how many matching calls each has seen.
    pub(crate) fn list(&self) -> &[(FaultRule, u64)] {
        &self.rules
    }

    /// What goes wrong with this call; counts it for every rule that it matches.
    pub(crate) fn take(&mut self, path: &str, method: &str) -> Applied {
        let mut applied = Applied::default();
        for (rule, seen) in &mut self.rules {
            if !rule.concerns(path, method) {
                continue;
            }
            *seen += 1;
            let first = rule.on.nth.unwrap_or(1).max(1);
            let every = rule.on.every.unwrap_or(1).max(1);
            let Some(since) = seen.checked_sub(first) else {
                continue;
            };
            if since % every == 0 && rule.on.count.is_none_or(|count| since / every < count) {
                applied.add(&rule.fault);
            }
        }
        applied
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(json: &str) -> Faults {
        let mut faults = Faults::default();
        faults.add(serde_json::from_str(json).unwrap()).unwrap();
        faults
    }

    #[test]
    fn nth_and_count_bound_a_rule() {
        let mut faults = faults(r#"{"match": {"path": "broadcasthex", "nth": 2, "count": 2}, "fault": "server_busy"}"#);
        let hits: Vec<bool> = (0..5)
            .map(|_| faults.take("/wallet/broadcasthex", "POST").reply.is_some())
            .collect();
        assert_eq!(hits, [false, true, true, false, false]);
        assert_eq!(faults.take("/wallet/getnowblock", "POST"), Applied::default());
    }

    #[test]
    fn every_leaves_out_what_is_between() {
        let mut faults = faults(r#"{"match": {"nth": 2, "every": 3, "count": 2}, "fault": "truncate_json"}"#);
        let hits: Vec<bool> = (0..12)
            .map(|_| faults.take("/wallet/x", "POST").broken.is_some())
            .collect();
        let met: Vec<usize> = (0..12).filter(|n| hits[*n]).collect();
        assert_eq!(met, [1, 4]);
    }

    #[test]
    fn every_form_of_fault_can_be_written_in_json() {
        for fault in [
            r#"{"latency_ms": 5}"#,
            r#"{"http_status": {"status": 429, "body": "slow down"}}"#,
            r#""truncate_json""#,
            r#"{"drop_connection": {"processed": true}}"#,
            r#"{"drop_connection": {}}"#,
            r#""accept_and_drop""#,
            r#""accept_and_lose""#,
            r#"{"refuse_but_include": {}}"#,
            r#""duplicate_answer""#,
            r#""server_busy""#,
            r#""missing_logs""#,
            r#""missing_internal""#,
            r#""missing_infos""#,
            r#""empty_blocks""#,
            r#"{"stale_head": {"by": 3}}"#,
        ] {
            let mut faults = faults(&format!(r#"{{"fault": {fault}}}"#));
            assert_ne!(faults.take("/wallet/x", "GET"), Applied::default(), "{fault}");
        }
    }

    #[test]
    fn bounds_are_kept() {
        let mut faults = Faults::default();
        let rule = |fault| FaultRule {
            on: Match::default(),
            fault,
        };
        assert!(faults.add(rule(Fault::LatencyMs(MAX_LATENCY_MS + 1))).is_err());
        assert!(
            faults
                .add(rule(Fault::HttpStatus {
                    status: 99,
                    body: String::new()
                }))
                .is_err()
        );
        for _ in 0..MAX_RULES {
            faults.add(rule(Fault::TruncateJson)).unwrap();
        }
        assert!(faults.add(rule(Fault::TruncateJson)).is_err());
        faults.clear();
        assert_eq!(faults.take("/wallet/x", "GET"), Applied::default());
    }
}
