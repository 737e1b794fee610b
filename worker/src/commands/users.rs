//! `users`: blocks customers, and lets them order again.

use domain::users::set_blocked;
use kernel::UserId;
use settings::Settings;

use super::{print, setup};

/// What to do with customers.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Accept no new orders of a user; running ones finish
    Block {
        /// The user's id
        #[arg(allow_negative_numbers = true)]
        user: i64,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Let a user order again
    Unblock {
        /// The user's id
        #[arg(allow_negative_numbers = true)]
        user: i64,
    },
}

pub(super) async fn run(settings: &Settings, command: Command) -> anyhow::Result<()> {
    let pool = setup::pool(settings)?;
    let (user, reason) = match &command {
        Command::Block { user, reason } => (*user, Some(reason.as_str())),
        Command::Unblock { user } => (*user, None),
    };
    set_blocked(&pool, UserId(user), reason, setup::now(&pool).await?).await?;
    print(if reason.is_some() { "blocked" } else { "unblocked" });
    Ok(())
}
