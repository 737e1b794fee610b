//! Which statements PostgreSQL spent its time on, where the library that counts them is installed.

use anyhow::{Context, Result, bail};
use serde::Serialize;

use super::meters::{STATEMENTS, counts_statements};
use crate::services::{DATABASE, Services};

const TOP: &str = "
    SELECT calls, round((total_exec_time * 1000)::numeric), plans, round((total_plan_time * 1000)::numeric), rows,
        left(regexp_replace(query, '\\s+', ' ', 'g'), 400)
    FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid
    WHERE d.datname = 'switchyard' AND query NOT LIKE '%pg_stat%' AND query NOT LIKE '%pg_xact%'
    ORDER BY total_exec_time + total_plan_time DESC LIMIT 40";

/// One statement, with what its calls took together.
#[derive(Debug, Serialize)]
pub(crate) struct Statement {
    pub(crate) calls: i64,
    /// By the clock: waiting for locks and for the disk is in it.
    pub(crate) took_us: i64,
    /// How often it was planned anew, and what that took; 0 unless planning is watched.
    pub(crate) plans: i64,
    pub(crate) planned_us: i64,
    pub(crate) rows: i64,
    pub(crate) text: String,
}

/// Begins to count anew.
pub(crate) fn reset(services: &Services) -> Result<()> {
    if counts_statements() {
        services
            .psql()?
            .run(DATABASE, &format!("SELECT {STATEMENTS}_reset()"))?;
    }
    Ok(())
}

/// The longest ones since then.
pub(crate) fn top(services: &Services) -> Result<Vec<Statement>> {
    if !counts_statements() {
        return Ok(Vec::new());
    }
    services.psql()?.run(DATABASE, TOP)?.lines().map(parse).collect()
}

fn parse(line: &str) -> Result<Statement> {
    let fields: Vec<&str> = line.splitn(6, '\t').collect();
    let &[calls, took_us, plans, planned_us, rows, text] = &fields[..] else {
        bail!("a statement of {} fields", fields.len());
    };
    let number = |text: &str| text.parse().with_context(|| format!("`{text}` is no number"));
    Ok(Statement {
        calls: number(calls)?,
        took_us: number(took_us)?,
        plans: number(plans)?,
        planned_us: number(planned_us)?,
        rows: number(rows)?,
        text: text.to_owned(),
    })
}

/// A table of them, by order.
#[expect(clippy::cast_precision_loss, reason = "figures for people")]
pub(crate) fn render(statements: &[Statement], orders: usize) -> String {
    let mut text = format!(
        "{:>8} {:>8} {:>8} {:>8} {:>8}  statement, by order\n",
        "calls", "ms", "plans", "ms", "rows"
    );
    let by_order = |figure: i64| figure as f64 / orders.max(1) as f64;
    for statement in statements {
        let start: String = statement.text.chars().take(150).collect();
        text.push_str(&format!(
            "{:>8.2} {:>8.3} {:>8.2} {:>8.3} {:>8.2}  {start}\n",
            by_order(statement.calls),
            by_order(statement.took_us) / 1e3,
            by_order(statement.plans),
            by_order(statement.planned_us) / 1e3,
            by_order(statement.rows),
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_told_by_order() {
        let statement = parse("200\t150000\t50\t5000\t100\tUPDATE a\tSET b").unwrap();
        assert_eq!(statement.text, "UPDATE a\tSET b");
        let text = render(&[statement], 100);
        assert!(
            text.contains("    2.00    1.500     0.50    0.050     1.00  UPDATE a"),
            "{text}"
        );
        assert!(parse("1\t2").is_err());
    }
}
