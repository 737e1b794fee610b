//! A namespace of its own in the shared Redis for each test.

use crate::database::unique;

/// A Redis URL and a key prefix that no other test uses.
#[derive(Debug, Clone)]
pub struct TestRedis {
    /// `redis://…`
    pub url: String,
    /// The prefix of every key and channel of this test.
    pub namespace: String,
}

impl TestRedis {
    /// A fresh namespace.
    ///
    /// # Panics
    /// When the services are not there: run the tests with `cargo xtask test`.
    #[must_use]
    pub fn new() -> Self {
        let url = std::env::var("SWITCHYARD_TEST_REDIS_URL")
            .expect("SWITCHYARD_TEST_REDIS_URL is not set: run the tests with `cargo xtask test`");
        Self {
            url,
            namespace: format!("t{}", unique()),
        }
    }
}

impl Default for TestRedis {
    fn default() -> Self {
        Self::new()
    }
}
