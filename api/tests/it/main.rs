//! The API in process: real PostgreSQL with the API's rights, a clock that stands still, seeded ids. The folders mirror
//! the URLs.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests fail the test")]

mod api;
mod approvals;
mod auth;
mod bot;
mod browsers;
mod console;
mod events;
mod health;
mod limits;
mod matrix;
mod odd;
mod openapi;
mod operators;
mod replays;
mod requests;
mod rights;
mod schemathesis;
mod serving;
mod settings;
mod signing;
mod spending;
mod support;
mod tls;
