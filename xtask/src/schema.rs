//! `cargo xtask schema`: writes `core/db/src/schema.rs` as the migrations leave the database, or tells that it is not.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::repo;
use crate::services::{Ephemeral, PsqlLogin};

const FILE: &str = "core/db/src/schema.rs";
const HEADER: &str = "//! Generated from the migrated database by `cargo xtask schema`; do not edit.\n";
/// Table, column, PostgreSQL's name of the type, whether null may be in it, place in the primary key (0: not in it).
const COLUMNS: &str = "
    SELECT c.relname, a.attname, t.typname, NOT a.attnotnull, coalesce(array_position(i.indkey::int2[], a.attnum), -1)
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'public'
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
    WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
    ORDER BY c.relname COLLATE \"C\", a.attnum;";

/// Generates the file, or with `check` only compares it.
pub(crate) fn run(check: bool) -> Result<()> {
    let ephemeral = Ephemeral::start("schema")?;
    let psql = ephemeral.services.psql()?;
    migrate(&psql)?;
    let generated = render(&parse(&psql.run("switchyard", COLUMNS)?)?);
    let file = repo::root().join(FILE);
    let current = std::fs::read_to_string(&file).unwrap_or_default();
    if current == generated {
        return Ok(());
    }
    if check {
        bail!(
            "{FILE} is not what the migrations make; run `cargo xtask schema`\n{}",
            difference(&current, &generated)
        );
    }
    std::fs::write(&file, generated).with_context(|| format!("cannot write {FILE}"))
}

/// Whether a migration says that it runs in no transaction, as diesel understands it: an index that is built concurrently.
fn runs_outside(folder: &Path) -> bool {
    let metadata = std::fs::read_to_string(folder.join("metadata.toml")).unwrap_or_default();
    metadata.lines().any(|line| line.trim() == "run_in_transaction = false")
}

/// Applies every `up.sql` in order, each in a transaction of its own where it does not say otherwise. Proves also that each `down.sql` undoes its
/// `up.sql`: all are taken back, last first, and applied again.
fn migrate(psql: &PsqlLogin) -> Result<()> {
    let folders = migrations()?;
    let apply = |folder: &PathBuf, script: &str| -> Result<()> {
        let path = folder.join(script);
        let sql = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let sql = if runs_outside(folder) {
            sql
        } else {
            format!("BEGIN;\n{sql}\n;COMMIT;")
        };
        psql.run("switchyard", &sql)
            .map(drop)
            .with_context(|| format!("{} does not apply", path.display()))
    };
    for folder in &folders {
        apply(folder, "up.sql")?;
    }
    for folder in folders.iter().rev() {
        apply(folder, "down.sql")?;
    }
    let left = psql.run("switchyard", COLUMNS)?;
    if !left.is_empty() {
        bail!("down.sql scripts leave tables behind:\n{left}");
    }
    folders.iter().try_for_each(|folder| apply(folder, "up.sql"))
}

fn migrations() -> Result<Vec<PathBuf>> {
    let parent = repo::root().join("migrations");
    let mut folders = Vec::new();
    for entry in std::fs::read_dir(&parent).context("cannot list migrations")? {
        let path = entry.context("cannot list migrations")?.path();
        if path.join("up.sql").is_file() {
            folders.push(path);
        }
    }
    folders.sort();
    Ok(folders)
}

#[derive(Default)]
struct Table {
    columns: Vec<(String, String)>,
    /// Place in the key, and column.
    key: Vec<(i32, String)>,
}

fn parse(rows: &str) -> Result<BTreeMap<String, Table>> {
    let mut tables: BTreeMap<String, Table> = BTreeMap::new();
    for row in rows.lines().filter(|row| !row.is_empty()) {
        let [table, column, kind, nullable, place] = row.split('\t').collect::<Vec<_>>()[..] else {
            bail!("an unexpected answer: {row}");
        };
        let Some(kind) = diesel_type(kind) else { continue };
        let entry = tables.entry(table.to_owned()).or_default();
        let kind = if nullable == "t" {
            format!("Nullable<{kind}>")
        } else {
            kind.to_owned()
        };
        entry.columns.push((column.to_owned(), kind));
        let place: i32 = place.parse().context("a place in the primary key")?;
        if place >= 0 {
            entry.key.push((place, column.to_owned()));
        }
    }
    for (name, table) in &mut tables {
        table.key.sort();
        if table.key.is_empty() {
            bail!("the table {name} has no primary key that Rust can hold");
        }
    }
    Ok(tables)
}

/// diesel's name of a PostgreSQL type. Columns of other types are SQL's own affair and are left out.
fn diesel_type(postgres: &str) -> Option<&'static str> {
    Some(match postgres {
        "uuid" => "Uuid",
        "text" => "Text",
        "bytea" => "Bytea",
        "int2" => "SmallInt",
        "int4" => "Integer",
        "int8" => "BigInt",
        "bool" => "Bool",
        "timestamptz" => "Timestamptz",
        "json" => "Json",
        "jsonb" => "Jsonb",
        "numeric" => "Numeric",
        "_text" => "Array<Text>",
        _ => return None,
    })
}

fn render(tables: &BTreeMap<String, Table>) -> String {
    let mut text = HEADER.to_owned();
    for (name, table) in tables {
        let key: Vec<&str> = table.key.iter().map(|(_, column)| column.as_str()).collect();
        let columns: String = table
            .columns
            .iter()
            .map(|(column, kind)| format!("        {column} -> {kind},\n"))
            .collect();
        let key = key.join(", ");
        // writing to a String cannot fail
        let _ = write!(
            text,
            "\ndiesel::table! {{\n    {name} ({key}) {{\n{columns}    }}\n}}\n"
        );
    }
    let names: String = tables.keys().map(|name| format!("    {name},\n")).collect();
    text + "\ndiesel::allow_tables_to_appear_in_same_query!(\n" + &names + ");\n"
}

/// The lines that only one of the two has.
fn difference(current: &str, generated: &str) -> String {
    let only = |of: &str, without: &str, sign: char| -> String {
        let known: Vec<&str> = without.lines().collect();
        of.lines()
            .filter(|line| !known.contains(line))
            .map(|line| format!("{sign} {line}\n"))
            .collect()
    };
    only(current, generated, '-') + &only(generated, current, '+')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_rendered_as_diesel_reads_them() {
        let rows = "b\tversion\tint4\tf\t1\nb\tname\ttext\tf\t0\nb\txact\txid8\tf\t-1\nb\ttags\t_text\tt\t-1\n\
                    a\tid\tuuid\tf\t0\n";
        let expected = format!(
            "{HEADER}
diesel::table! {{
    a (id) {{
        id -> Uuid,
    }}
}}

diesel::table! {{
    b (name, version) {{
        version -> Integer,
        name -> Text,
        tags -> Nullable<Array<Text>>,
    }}
}}

diesel::allow_tables_to_appear_in_same_query!(
    a,
    b,
);
"
        );
        assert_eq!(render(&parse(rows).unwrap()), expected);
    }

    #[test]
    fn a_table_without_a_usable_key_is_refused() {
        assert!(parse("a\tid\txid8\tf\t0\na\tname\ttext\tf\t-1\n").is_err());
        assert!(parse("a\tid\n").is_err());
    }

    #[test]
    fn a_difference_names_lines() {
        assert_eq!(difference("a\nb\n", "a\nc\n"), "- b\n+ c\n");
    }
}
