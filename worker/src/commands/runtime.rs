//! `settings`: what is changed while everything runs, its versions, and going back.

use anyhow::{Context, bail};
use db::trail;
use domain::runtime_settings::{Changed, Difference, Edit, InForce, Values, Wish, change, in_force, versions};
use kernel::RandomIds;
use serde_json::{Value, json};
use settings::{Role, RuntimeKind, RuntimeSetting, RuntimeSettings, Settings};

use super::{print, report, setup};

/// Takes a value back.
const CONFIGURED: &str = "configured";

/// What to do with settings.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// List the settings that can be changed while everything runs, and what is in force
    List {
        /// Answer in JSON
        #[arg(long)]
        json: bool,
    },
    /// Change settings, within seconds in every process
    Set {
        /// `name=value`; the value `configured` goes back to what the configuration says
        #[arg(required = true)]
        changes: Vec<String>,
        #[command(flatten)]
        by: By,
    },
    /// List versions, newest first, each with what it changed
    Versions {
        /// At most so many
        #[arg(long, default_value_t = 20)]
        limit: u32,
        /// Answer in JSON
        #[arg(long)]
        json: bool,
    },
    /// Go back to the values of a version; 0: the configuration alone
    Restore {
        /// The version
        to: i64,
        #[command(flatten)]
        by: By,
    },
}

/// Who changes settings, why, and on which version.
#[derive(Debug, clap::Args)]
pub struct By {
    /// Who; kept with the version
    #[arg(long, env = "SWITCHYARD_OPERATOR")]
    operator: String,
    /// Why; kept with the version
    #[arg(long)]
    reason: String,
    /// The version that you saw; where it is not in force any more, nothing is changed
    #[arg(long)]
    base: Option<i64>,
}

pub(super) async fn run(settings: &Settings, command: Command) -> anyhow::Result<()> {
    match command {
        Command::List { json } => {
            let now = in_force(&setup::pool(settings)?).await?;
            if json {
                print(&report::json(&list_in_json(settings, &now)));
            } else {
                list(settings, &now);
            }
            Ok(())
        }
        Command::Set { changes, by } => {
            let changes = read(&changes)?;
            make(settings, Wish::Change(&changes), &by).await
        }
        Command::Versions { limit, json } => history(settings, i64::from(limit.clamp(1, 1_000)), json).await,
        Command::Restore { to, by } => make(settings, Wish::Restore(to), &by).await,
    }
}

fn list(settings: &Settings, now: &InForce) {
    print(&format!("version {}", now.version));
    for setting in RuntimeSetting::ALL {
        let configured = setting.value(settings);
        let by = now.by.iter().find(|by| by.name == setting.name);
        let source = by.map_or_else(
            || CONFIGURED.to_owned(),
            |by| {
                format!(
                    "version {} by {}, configured: {}",
                    by.version,
                    by.author,
                    shown(&configured)
                )
            },
        );
        let value = now.values.get(setting.name).unwrap_or(&configured);
        print(&format!(
            "{} = {} {}  ({source})",
            setting.name,
            shown(value),
            setting.unit.words().0
        ));
    }
}

fn list_in_json(settings: &Settings, now: &InForce) -> Value {
    let item = |setting: &RuntimeSetting| {
        let configured = setting.value(settings);
        let by = now.by.iter().find(|by| by.name == setting.name);
        json!({
            "name": setting.name, "unit": setting.unit.words().0, "title": setting.title,
            "value": now.values.get(setting.name).unwrap_or(&configured), "configured": configured,
            "min": setting.kind.written(setting.min), "max": setting.kind.written(setting.max),
            "version": by.map(|by| by.version), "author": by.map(|by| &by.author),
        })
    };
    let items: Vec<Value> = RuntimeSetting::ALL.iter().map(item).collect();
    json!({ "version": now.version, "settings": items })
}

/// Reads `name=value`. What another release knew, and this one does not, can be taken back all the same.
fn read(changes: &[String]) -> anyhow::Result<Values> {
    let mut read = Values::new();
    for change in changes {
        let (name, text) = change.split_once('=').context("write each as name=value")?;
        let value = if text == CONFIGURED {
            Value::Null
        } else {
            value(name, text)?
        };
        if read.insert(name.to_owned(), value).is_some() {
            bail!("{name} is given twice");
        }
    }
    Ok(read)
}

fn value(name: &str, text: &str) -> anyhow::Result<Value> {
    let setting = RuntimeSetting::of_name(name)
        .with_context(|| format!("there is no setting {name:?}; see `switchyard-worker settings list`"))?;
    Ok(match setting.kind {
        RuntimeKind::Integer => {
            let number: Result<i64, _> = text.replace('_', "").parse();
            Value::from(number.with_context(|| format!("{name} is a whole number"))?)
        }
        RuntimeKind::Amount => Value::from(text),
    })
}

async fn make(settings: &Settings, wish: Wish<'_>, by: &By) -> anyhow::Result<()> {
    let length = by.operator.chars().count();
    anyhow::ensure!((1..=100).contains(&length), "--operator must have 1 to 100 characters");
    let author = format!("operator:{}", by.operator);
    trail::by(&author, &by.operator);
    let edit = Edit {
        author: &author,
        author_name: &by.operator,
        reason: &by.reason,
        base_version: by.base,
        mark: None,
    };
    let judge = |values: &Values| RuntimeSettings::judge(values, settings, Role::Worker);
    let now = setup::now(&setup::pool(settings)?).await?;
    let changed = change(&setup::pool(settings)?, &RandomIds, &judge, (&edit, wish), now).await?;
    let Changed {
        version, differences, ..
    } = changed;
    print(&format!("version {} is in force within seconds", version.version));
    differences.iter().for_each(tell);
    Ok(())
}

async fn history(settings: &Settings, limit: i64, as_json: bool) -> anyhow::Result<()> {
    // one more, so that the last one shown is held against the one before it
    let mut rows = versions(&setup::pool(settings)?, None, limit + 1).await?;
    rows.truncate(usize::try_from(limit)?);
    if as_json {
        let row = |(version, differences): &(db::models::SettingVersion, Vec<Difference>)| {
            json!({
                "version": version.version, "author": version.author, "reason": version.reason,
                "restored": version.restored, "created_at": version.created_at, "changes": differences,
            })
        };
        print(&report::json(&Value::Array(rows.iter().map(row).collect())));
        return Ok(());
    }
    for (version, differences) in &rows {
        let back = version
            .restored
            .map_or_else(String::new, |to| format!(", back to {to}"));
        print(&format!(
            "version {} of {} by {}{back}: {}",
            version.version, version.created_at, version.author, version.reason
        ));
        differences.iter().for_each(tell);
    }
    Ok(())
}

fn tell(difference: &Difference) {
    let side = |value: &Option<Value>| value.as_ref().map_or_else(|| CONFIGURED.to_owned(), shown);
    print(&format!(
        "  {}: {} -> {}",
        difference.name,
        side(&difference.before),
        side(&difference.after)
    ));
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(changes: &[&str]) -> Result<Value, String> {
        let changes: Vec<String> = changes.iter().map(ToString::to_string).collect();
        read(&changes).map(Value::Object).map_err(|error| error.to_string())
    }

    #[test]
    fn changes_are_read_by_the_kind_of_their_setting() {
        let good = [
            "orders.energy_max=5_000_000",
            "pool.low_trx=12.5",
            "orders.quote_s=configured",
        ];
        let expected = json!({ "orders.energy_max": 5_000_000, "pool.low_trx": "12.5", "orders.quote_s": null });
        assert_eq!(words(&good), Ok(expected));
        for (bad, said) in [
            ("orders.energy_max", "name=value"),
            ("orders.energy_max=many", "whole number"),
            ("database.url=x", "there is no setting"),
        ] {
            assert!(words(&[bad]).unwrap_err().contains(said), "{bad}");
        }
        assert!(words(&["orders.quote_s=5", "orders.quote_s=6"]).is_err());
    }
}
