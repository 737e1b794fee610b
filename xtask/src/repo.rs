//! Where the checkout is, and the cargo that runs us.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The checkout's root. `cargo run` tells it at run time, which is right even where several checkouts share one target
/// folder and so one binary.
pub(crate) fn root() -> PathBuf {
    let here = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let here = Path::new(&here);
    here.parent().unwrap_or(here).to_owned()
}

/// `cargo`, in the checkout's root: the same one that started us. What it told us of our own package is taken out: build
/// scripts that look at such variables would run again, and everything above them would be built anew, each time that
/// cargo is run by us after it was run by hand.
pub(crate) fn cargo() -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(program);
    for (variable, _) in std::env::vars_os() {
        let name = variable.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&variable);
        }
    }
    command.current_dir(root());
    command
}
