//! A wake-up: the name of a job that is due, as Redis carries it. Ids only; it proves nothing.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::JobKind;

/// A job to be woken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wake {
    /// What is to be done.
    pub kind: JobKind,
    /// To what.
    pub object_id: String,
    /// The number of this push, which no other push of the same job has.
    pub generation: i32,
}

/// The version of [`Envelope`] that this build writes and reads.
const VERSION: u32 = 1;

/// A wake-up as bytes.
#[derive(Debug, Serialize, Deserialize)]
struct Envelope<'a> {
    v: u32,
    kind: Cow<'a, str>,
    #[serde(borrow)]
    id: Cow<'a, str>,
    g: i32,
}

impl Wake {
    /// The id under which apalis knows this push. Pushed twice it is one task; the next generation is another, also
    /// after the job was done and asked for anew.
    #[must_use]
    pub fn task_id(&self) -> String {
        format!("{}-{}-g{}", self.kind, self.object_id, self.generation)
    }

    /// The bytes that Redis carries.
    ///
    /// # Errors
    /// Never in practice: three words and two numbers are always JSON.
    pub fn encode(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(&Envelope {
            v: VERSION,
            kind: self.kind.word().into(),
            id: (&self.object_id).into(),
            g: self.generation,
        })
    }

    /// Reads what [`Wake::encode`] wrote.
    ///
    /// # Errors
    /// What is wrong with the bytes: another version, an unknown kind, or no envelope at all.
    pub fn decode(bytes: &[u8]) -> Result<Self, String> {
        let envelope: Envelope<'_> = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if envelope.v != VERSION {
            return Err(format!("version {} is not {VERSION}", envelope.v));
        }
        Ok(Self {
            kind: envelope.kind.parse()?,
            object_id: envelope.id.into_owned(),
            generation: envelope.g,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read() {
        let wake = Wake {
            kind: JobKind::OrdersDelegate,
            object_id: "7\"ü".into(),
            generation: 3,
        };
        let read = Wake::decode(&wake.encode().unwrap());
        // an escaped id cannot be borrowed from the bytes, and must not be refused for that
        assert_eq!(read, Ok(wake));
    }

    #[test]
    fn foreign_bytes_are_refused() {
        for bytes in [
            &b""[..],
            b"\xff\xfe",
            b"null",
            br#"{"v":2,"kind":"orders.delegate","id":"1","g":0}"#,
            br#"{"v":1,"kind":"orders.unheard_of","id":"1","g":0}"#,
        ] {
            assert!(Wake::decode(bytes).is_err());
        }
    }

    #[test]
    fn each_generation_is_a_task_of_its_own() {
        let wake = Wake {
            kind: JobKind::WalletsSync,
            object_id: "w".into(),
            generation: 0,
        };
        assert_eq!(wake.task_id(), "wallets.sync-w-g0");
        assert_ne!(wake.task_id(), Wake { generation: 1, ..wake }.task_id());
    }
}
