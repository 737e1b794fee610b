//! `actions`: what was done by hand, by whom and why.

use db::models::{Action, ActionFilter, OperatorAction};
use domain::operations::actions_page;
use serde_json::{Value, json};
use settings::Settings;

use super::words::words;
use super::{print, report, setup};

/// Which actions; those that fit everything that is given.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// What was done
    #[arg(long, value_parser = words(Action::ALL, Action::word))]
    action: Option<Action>,
    /// `operator:<name>` or `api_key:<id>`
    #[arg(long)]
    actor: Option<String>,
    /// The id of an object that was changed
    #[arg(long)]
    object: Option<String>,
    /// At most so many
    #[arg(long, default_value_t = 100)]
    limit: i64,
    /// Answer in JSON, with every object as it was before
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(settings: &Settings, arguments: &Arguments) -> anyhow::Result<()> {
    let pool = setup::pool(settings)?;
    let filter = ActionFilter {
        action: arguments.action,
        actor: arguments.actor.as_deref(),
        object_id: arguments.object.as_deref(),
    };
    let actions = actions_page(&pool, filter, None, arguments.limit.clamp(1, 10_000)).await?;
    if arguments.json {
        print(&report::json(&actions.iter().map(in_json).collect()));
    } else {
        let head = ["AT", "WHO", "ACTION", "CHANGED", "FILTER", "REASON"];
        print(&report::table(head, &actions.iter().map(in_row).collect::<Vec<_>>()));
    }
    Ok(())
}

fn in_json(action: &OperatorAction) -> Value {
    json!({
        "id": action.id, "at": action.at, "actor": action.actor, "actor_name": action.actor_name,
        "action": action.action, "filter": action.filter, "reason": action.reason, "matched": action.matched,
        "affected": action.affected, "objects": action.objects,
    })
}

fn in_row(action: &OperatorAction) -> [String; 6] {
    let asked = action.filter.as_object().into_iter().flatten();
    let asked = asked.filter_map(|(name, value)| Some(format!("{name}={}", value.as_str()?)));
    [
        report::time(action.at),
        action.actor_name.clone(),
        action.action.to_string(),
        format!("{} of {}", action.affected, action.matched),
        report::or_dash(Some(&asked.collect::<Vec<_>>().join(" "))),
        report::or_dash(action.reason.as_deref()),
    ]
}
