//! Who calls, and what he may do.

use std::net::IpAddr;

use access::{Permission, PermissionSet};
use chrono::{DateTime, Utc};
use kernel::{AddressRange, ApiKeyId};
use uuid::Uuid;

/// An API key or an operator, once what was presented was right.
#[derive(Debug, Clone)]
pub struct Principal {
    /// The key's id. An operator writes under one of his own, which has his id.
    pub key: ApiKeyId,
    /// The key's name, or the operator's e-mail address.
    pub name: String,
    /// What he may do.
    pub permissions: PermissionSet,
    /// How often he may ask, per minute.
    pub rate_limit_per_minute: u32,
    /// From when on what was presented does not work any more.
    pub works_until: Option<DateTime<Utc>>,
    /// From where it may be used; none: from anywhere.
    pub allowed_from: Vec<AddressRange>,
    /// An operator's session; `None` for an API key.
    pub session: Option<Uuid>,
    /// What his requests have to be signed with; none: they need not be.
    pub signing: Vec<Signing>,
}

/// A secret that requests are signed with.
#[derive(Clone)]
pub struct Signing {
    /// Sealed by the API's own keys.
    pub sealed: Vec<u8>,
    /// From when on it signs no more.
    pub until: Option<DateTime<Utc>>,
}

impl std::fmt::Debug for Signing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signing")
            .field("until", &self.until)
            .finish_non_exhaustive()
    }
}

impl Principal {
    /// Whether what was presented still works.
    #[must_use]
    pub fn works_at(&self, now: DateTime<Utc>) -> bool {
        self.works_until.is_none_or(|until| now < until)
    }

    /// Whether the key may be used from there; where a client is unknown, only one that may be used from anywhere.
    #[must_use]
    pub fn may_come_from(&self, client: Option<IpAddr>) -> bool {
        let allowed = |client| self.allowed_from.iter().any(|range| range.contains(client));
        self.allowed_from.is_empty() || client.is_some_and(allowed)
    }

    /// Whether he may do this.
    #[must_use]
    pub const fn may(&self, permission: Permission) -> bool {
        self.permissions.has(permission)
    }

    /// How he is named in timelines and in the ledger.
    #[must_use]
    pub fn actor(&self) -> String {
        match self.session {
            Some(_) => format!("operator:{}", self.key),
            None => format!("api_key:{}", self.key),
        }
    }
}
