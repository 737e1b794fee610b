//! What all commands share that change something by hand: who, why, how many, and going on in batches until all is done.

use domain::DomainError;
use domain::operations::{AT_ONCE, Done, Instruction};
use serde_json::json;

use super::report;

/// Who does it, why, and how.
#[derive(Debug, clap::Args)]
pub struct ByHand {
    /// Who; kept with what was done
    #[arg(long, env = "SWITCHYARD_OPERATOR")]
    operator: String,
    /// Why; kept with what was done
    #[arg(long)]
    reason: Option<String>,
    /// Only count what fits
    #[arg(long)]
    dry_run: bool,
    /// Answer in JSON
    #[arg(long)]
    json: bool,
}

impl ByHand {
    /// As the use cases want it.
    pub(super) fn instruction(&self) -> anyhow::Result<Instruction> {
        let length = self.operator.chars().count();
        anyhow::ensure!((1..=100).contains(&length), "--operator must have 1 to 100 characters");
        let actor = format!("operator:{}", self.operator);
        db::trail::by(&actor, &self.operator);
        Ok(Instruction {
            actor,
            name: self.operator.clone(),
            reason: self.reason.clone(),
            mark: None,
            dry_run: self.dry_run,
        })
    }

    /// Gives the command again and again, each time for one batch, until everything that fitted at first is done. What
    /// comes to fit meanwhile (a job that dies again at once) is left for another time.
    pub(super) async fn carry_out(
        &self,
        done: &str,
        step: impl AsyncFn() -> Result<Done, DomainError>,
    ) -> anyhow::Result<String> {
        let first = step().await?;
        let (matched, mut affected, mut last) = (first.matched, first.affected, first.affected);
        let mut actions: Vec<_> = first.id.into_iter().collect();
        while last == AT_ONCE && affected < matched {
            let next = step().await?;
            last = next.affected;
            affected += last;
            actions.extend(next.id);
        }
        if self.json {
            let answer =
                json!({ "matched": matched, "affected": affected, "actions": actions, "dry_run": self.dry_run });
            return Ok(report::json(&answer));
        }
        Ok(if self.dry_run {
            format!("{matched} would be {done}")
        } else {
            format!("{affected} of {matched} {done}")
        })
    }
}
