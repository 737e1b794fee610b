//! What happened, as it happens.

pub(crate) mod feed;
pub(crate) mod stream;
