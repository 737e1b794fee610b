//! The operator's commands, each as a process of its own.

use std::process::{Command, Output};

use testkit::Role;

use super::{NETWORK, Rig};

impl Rig {
    /// Runs `switchyard-worker` with these words, configured as this rig's workers are.
    pub(crate) async fn command(&self, words: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_switchyard-worker"));
        command.args(words).env_clear().envs(self.variables());
        tokio::task::spawn_blocking(move || command.output().unwrap())
            .await
            .unwrap()
    }

    fn variables(&self) -> Vec<(String, String)> {
        let (id, master) = &self.world.masters[0];
        let endpoints = format!(
            "[{{ name = \"devnet\", url = \"{}\", requests_per_second = 10000, timeout_ms = 5000 }}]",
            self.world.node_url
        );
        let endpoints_of = format!("NETWORKS__{}__ENDPOINTS", NETWORK.to_uppercase());
        let mut settings = vec![
            (endpoints_of.as_str(), endpoints),
            ("DATABASE__URL", self.db.url(Role::Worker)),
            ("REDIS__URL", self.world.wakes.url.clone()),
            ("VAULT__IMPORT_PRIVATE_KEY", self.world.import.clone()),
            ("VAULT__IMPORT_PUBLIC_KEY", self.world.import_public.clone()),
            ("VAULT__MASTER_KEY", master.clone()),
            ("VAULT__MASTER_KEY_ID", id.to_string()),
        ];
        if let Some((_, previous)) = self.world.masters.get(1) {
            settings.push(("VAULT__PREVIOUS_MASTER_KEY", previous.clone()));
        }
        let settings = settings
            .into_iter()
            .map(|(name, value)| (format!("SWITCHYARD__{name}"), value));
        let config = concat!(env!("CARGO_MANIFEST_DIR"), "/../config");
        settings
            .chain([
                ("SWITCHYARD_ENV".to_owned(), "dev".to_owned()),
                ("SWITCHYARD_CONFIG_DIR".to_owned(), config.to_owned()),
                (
                    "SWITCHYARD_TEST_CLOCK".to_owned(),
                    self.clock.file().display().to_string(),
                ),
            ])
            .collect()
    }
}
