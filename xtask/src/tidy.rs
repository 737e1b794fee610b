//! Placeholder while the command is being written.
use anyhow::Result;
pub(crate) fn run() -> Result<()> {
    Ok(())
}
