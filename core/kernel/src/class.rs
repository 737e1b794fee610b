//! What kind of failure an error is. The API maps a class to a status, the job adapter to retry or fail.

/// The class of a domain error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorClass {
    /// The named object does not exist, or is not the caller's.
    NotFound,
    /// The object is in another state than the action needs.
    Conflict,
    /// The input is wrong; sending it again cannot help.
    Invalid,
    /// Who asks did not show who he is.
    Unauthenticated,
    /// The caller may not do this.
    Forbidden,
    /// Too many requests or too large a demand; later it may work.
    Limited,
    /// Something we depend on does not answer; later it may work.
    Unavailable,
    /// A broken invariant: ours to repair, and an alarm.
    Bug,
}

impl ErrorClass {
    /// Whether the same call may succeed later without anybody changing its input.
    #[must_use]
    pub const fn is_transient(self) -> bool {
        matches!(self, Self::Limited | Self::Unavailable)
    }
}
