//! Where configuration is taken from: a folder, an environment's name and a set of variables. Reads the process's
//! own ones; tests hand in theirs.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// The inputs of [`crate::Settings::load_from`].
#[derive(Clone)]
pub struct Source {
    /// The folder with `default.toml` and `<environment>.toml`.
    pub dir: PathBuf,
    /// The environment's name, such as `prod`.
    pub environment: String,
    /// Environment variables by name; those that do not begin with `SWITCHYARD__` are not looked at.
    pub variables: BTreeMap<String, String>,
}

impl Source {
    /// What this process was started with. Variables that are not UTF-8 are left out: no key of ours needs one.
    #[must_use]
    pub fn process() -> Self {
        let variables: BTreeMap<String, String> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .filter(|(name, _)| name.starts_with("SWITCHYARD_"))
            .collect();
        let value = |name: &str, default: &str| variables.get(name).map_or(default, String::as_str).to_owned();
        Self {
            dir: PathBuf::from(value("SWITCHYARD_CONFIG_DIR", "config")),
            environment: value("SWITCHYARD_ENV", "dev"),
            variables,
        }
    }
}
