//! The API in process: real PostgreSQL with the API's rights, a clock that stands still, seeded ids. The folders mirror
//! the URLs.

mod api;
mod auth;
mod health;
mod openapi;
mod requests;
mod rights;
mod serving;
mod support;
