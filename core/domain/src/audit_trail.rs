//! The audit trail: listed, sealed into its chain of hashes, and proved. Lines are written by `db::trail`, in the transactions
//! that they tell of.
//!
//! The proof computes every hash anew, by code of its own and not by the database's: what the table's owner changes is seen. Who
//! rewrites the whole chain from some line on, or cuts off its end, is seen by *heads*, the ends that the chain had at some
//! time, kept where the database cannot reach them.

use std::collections::BTreeMap;
use std::str::FromStr;

use chrono::{DateTime, SecondsFormat, Utc};
use db::models::{AuditFilter, AuditLine, SealedLine, SealedNow, Unsealed};
use db::{Pool, acquire};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::DomainError;

/// Lines that are given their places in one transaction.
const SEALED_AT_ONCE: i32 = 5_000;
/// Lines that are proved at a time; a line may hold a whole body.
const PAGE: i64 = 1_000;
/// Complaints that a proof names; more are counted.
pub const NAMED: usize = 100;

/// SHA-256.
pub type Hash = [u8; 32];

/// An end of the chain at some time. As text, one line of JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// The last line; 0 while there is none.
    pub seq: i64,
    /// Its hash, in hexadecimal digits.
    pub hash: String,
    /// When it was the last.
    pub at: DateTime<Utc>,
}

impl std::fmt::Display for Head {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let at = self.at.to_rfc3339_opts(SecondsFormat::Secs, true);
        write!(f, r#"{{"seq":{},"hash":"{}","at":"{at}"}}"#, self.seq, self.hash)
    }
}

impl FromStr for Head {
    type Err = serde_json::Error;

    fn from_str(line: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(line)
    }
}

/// What a proof found wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Complaint {
    /// The line, or its place behind the one before, is not what was sealed: it was changed, moved or put in.
    Changed {
        /// Which.
        seq: i64,
    },
    /// Lines that were sealed are gone.
    Missing {
        /// The first.
        from: i64,
        /// The last.
        to: i64,
    },
    /// The line is not the one that this place held when its head was kept: the chain was written anew.
    Rewritten {
        /// Which.
        seq: i64,
    },
    /// The chain was longer once.
    Shortened {
        /// Its last line now.
        seq: i64,
        /// Its last line once, as a head tells.
        was: i64,
    },
    /// A head that was kept is none.
    NoHead {
        /// What it says it is.
        seq: i64,
    },
}

impl std::fmt::Display for Complaint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Changed { seq } => write!(f, "line {seq} was changed, moved or put in"),
            Self::Missing { from, to } if from == to => write!(f, "line {from} is missing"),
            Self::Missing { from, to } => write!(f, "lines {from} to {to} are missing"),
            Self::Rewritten { seq } => write!(
                f,
                "line {seq} is not the one that a kept head names: the chain was rewritten"
            ),
            Self::Shortened { seq, was } => write!(f, "the chain ends at line {seq} and had {was} once"),
            Self::NoHead { seq } => write!(f, "the kept head of line {seq} has no hash of 64 hexadecimal digits"),
        }
    }
}

/// What a proof came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Proof {
    /// Lines that were read.
    pub lines: u64,
    /// Kept heads that were compared.
    pub heads: usize,
    /// The end of the chain.
    pub head: Head,
    /// Lines that are not sealed yet.
    pub waiting: i64,
    /// When the oldest of them was written.
    pub waiting_since: Option<DateTime<Utc>>,
    /// What is wrong, the first hundred.
    pub complaints: Vec<Complaint>,
    /// How much more is wrong.
    pub more: u64,
}

impl Proof {
    /// Whether nothing is wrong.
    #[must_use]
    pub const fn is_clean(&self) -> bool {
        self.complaints.is_empty()
    }

    fn complain(&mut self, complaint: Complaint) {
        if self.complaints.len() < NAMED {
            self.complaints.push(complaint);
        } else {
            self.more += 1;
        }
    }
}

/// Sealed lines, newest first, before the line `before`.
///
/// # Errors
/// When the database cannot be asked.
pub async fn page(
    pool: &Pool,
    filter: &AuditFilter,
    place: Option<i64>,
    limit: i64,
) -> Result<Vec<AuditLine>, DomainError> {
    let mut conn = acquire(pool).await?;
    Ok(AuditLine::page(&mut conn, filter, place, limit).await?)
}

/// What came of sealing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// Lines that got their places.
    pub lines: u64,
    /// The end of the chain.
    pub head: Head,
}

/// Gives every waiting line its place in the chain. Each slice is a transaction of its own; who seals meanwhile waits for it.
///
/// # Errors
/// When the database cannot be asked; what was sealed before stays so.
pub async fn seal(pool: &Pool, now: DateTime<Utc>) -> Result<Sealed, DomainError> {
    let mut lines = 0;
    loop {
        let mut conn = acquire(pool).await?;
        let done = SealedNow::seal(&mut conn, SEALED_AT_ONCE).await?;
        lines += u64::try_from(done.sealed).unwrap_or(0);
        if done.sealed < SEALED_AT_ONCE {
            let (seq, hash) = (done.seq, hex::encode(done.hash));
            let head = Head { seq, hash, at: now };
            return Ok(Sealed { lines, head });
        }
    }
}

/// Follows the chain from its first line and compares it with heads that were kept.
///
/// # Errors
/// When the database cannot be asked.
pub async fn prove(pool: &Pool, kept: &[Head], now: DateTime<Utc>) -> Result<Proof, DomainError> {
    let mut proof = Proof {
        lines: 0,
        heads: kept.len(),
        head: Head {
            seq: 0,
            hash: String::new(),
            at: now,
        },
        waiting: 0,
        waiting_since: None,
        complaints: Vec::new(),
        more: 0,
    };
    let mut heads: BTreeMap<i64, Vec<Hash>> = BTreeMap::new();
    for head in kept {
        match hash_of(&head.hash) {
            Some(hash) => heads.entry(head.seq).or_default().push(hash),
            None => proof.complain(Complaint::NoHead { seq: head.seq }),
        }
    }
    let mut conn = acquire(pool).await?;
    let (mut seq, mut hash) = (0, Hash::default());
    loop {
        let lines = SealedLine::page(&mut conn, seq, PAGE).await?;
        for line in &lines {
            if line.seq > seq + 1 {
                let (from, to) = (seq + 1, line.seq - 1);
                proof.complain(Complaint::Missing { from, to });
            } else if line.hash != hash_after(&hash, line) {
                proof.complain(Complaint::Changed { seq: line.seq });
            }
            // each line is judged by the hash that the one before carries, so that one change is one complaint
            (seq, hash) = (line.seq, Hash::try_from(line.hash.as_slice()).unwrap_or_default());
            let differs = |kept: &Vec<Hash>| kept.iter().any(|kept| *kept != hash);
            if heads.get(&seq).is_some_and(differs) {
                proof.complain(Complaint::Rewritten { seq });
            }
        }
        proof.lines += u64::try_from(lines.len()).unwrap_or(u64::MAX);
        if lines.is_empty() {
            break;
        }
    }
    if let Some(&was) = heads.keys().next_back().filter(|was| **was > seq) {
        proof.complain(Complaint::Shortened { seq, was });
    }
    let unsealed = Unsealed::read(&mut conn).await?;
    (proof.waiting, proof.waiting_since) = (unsealed.lines, unsealed.oldest);
    (proof.head.seq, proof.head.hash) = (seq, hex::encode(hash));
    Ok(proof)
}

fn hash_of(text: &str) -> Option<Hash> {
    hex::decode(text).ok()?.try_into().ok()
}

/// The hash of a line that stands behind the one with the hash `before`. The function `audit_seal` says the same in SQL.
fn hash_after(before: &Hash, line: &SealedLine) -> Hash {
    let mut digest = Sha256::new();
    digest.update(before);
    let mut field = |value: Option<&str>| match value {
        Some(text) => {
            digest.update(text.len().to_string());
            digest.update(":");
            digest.update(text);
        }
        None => digest.update("-"),
    };
    for number in [line.seq, line.id, line.at_micros] {
        field(Some(&number.to_string()));
    }
    field(Some(&line.principal));
    field(Some(&line.principal_name));
    field(line.address.as_deref());
    field(line.request_id.as_deref());
    field(Some(&line.action));
    field(line.target.as_deref());
    field(line.step.as_deref());
    field(Some(&line.result));
    field(line.asked.as_deref());
    field(Some(&line.changes));
    digest.finalize().into()
}
