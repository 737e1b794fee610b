//! `switchyard-api`: HTTP in, rows and wake-ups out.
//!
//! Everything but `main`, so that tests can link it. This process never signs and never opens a key: it links neither a
//! chain client nor the keyring. Requests become calls of `domain`; errors become HTTP in [`problem`] alone.

mod app;
mod console;
mod extract;
mod health;
mod middleware;
mod openapi;
pub mod problem;
mod router;
mod routes;
mod rules;
mod server;
mod tls;

pub use access::{Permission, Scope};
pub use app::{App, Dependencies, StartError};
pub use openapi::openapi;
pub use router::{ops_router, router};
pub use server::{Server, serve};
pub use tls::{TlsError, check_certificate};
