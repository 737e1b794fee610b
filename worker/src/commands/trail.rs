//! `audit verify`, `audit head`: the audit trail's chain, proved and told.

use std::path::{Path, PathBuf};

use anyhow::Context;
use domain::audit_trail::{Head, Proof, prove, seal};
use settings::Settings;

use super::{print, setup};

/// What to do with the audit trail.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Follow the audit trail's chain from its first line: finds what was changed, removed, moved or put in
    Verify {
        /// A file of heads that were kept, one a line, as `audit head` prints and worker.audit_heads_file gathers them: finds also what
        /// was cut off or written anew
        #[arg(long)]
        heads: Option<PathBuf>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Seal what waits and print the end of the chain, to be kept where the database's owner cannot reach it
    Head,
}

/// Answers whether nothing is wrong.
pub(super) async fn run(settings: &Settings, command: Command) -> anyhow::Result<bool> {
    let pool = setup::pool(settings)?;
    let now = setup::now(&pool).await?;
    match command {
        Command::Verify { heads, json } => {
            let kept = heads.as_deref().map(read).transpose()?.unwrap_or_default();
            let proof = prove(&pool, &kept, now).await?;
            if json {
                print(&serde_json::to_string_pretty(&proof)?);
            } else {
                show(&proof);
            }
            Ok(proof.is_clean())
        }
        Command::Head => {
            print(&seal(&pool, now).await?.head.to_string());
            Ok(true)
        }
    }
}

fn read(file: &Path) -> anyhow::Result<Vec<Head>> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(n, line)| {
            let place = || format!("{}, line {}: this is no head", file.display(), n + 1);
            line.parse().with_context(place)
        })
        .collect()
}

fn show(proof: &Proof) {
    for complaint in &proof.complaints {
        print(&complaint.to_string());
    }
    if proof.more > 0 {
        print(&format!("and {} more", proof.more));
    }
    print(&format!(
        "{} lines, {} kept heads, {} lines not sealed yet: {}\n{}",
        proof.lines,
        proof.heads,
        proof.waiting,
        if proof.is_clean() {
            "nothing is wrong"
        } else {
            "THE TRAIL WAS TAMPERED WITH"
        },
        proof.head,
    ));
}
