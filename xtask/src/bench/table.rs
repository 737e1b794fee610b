//! The table that people read.

use std::fmt::Write as _;

use super::budget::{Bound, Row};

const FIGURE: usize = 46;

/// One line for each figure: value, budget, their ratio, and whether it holds.
pub(crate) fn render(rows: &[Row]) -> String {
    let mut text = format!(
        "{:<FIGURE$} {:>12}  {:>10} {:>7}\n",
        "figure", "value", "budget", "ratio"
    );
    let mut group = "";
    for row in rows {
        let this = row.figure.split_once(": ").map_or("", |(group, _)| group);
        if this != group {
            text.push('\n');
        }
        group = this;
        let value = row
            .value
            .map_or("–".to_owned(), |value| format!("{} {}", short(value), row.unit));
        let budget = match row.budget {
            Some(Bound::AtMost(most)) => format!("≤ {}", short(most)),
            Some(Bound::AtLeast(least)) => format!("≥ {}", short(least)),
            None => String::new(),
        };
        let ratio = row.ratio.map(|ratio| format!("{ratio:.2}")).unwrap_or_default();
        let verdict = match (row.holds, row.budget) {
            (Some(true), _) => "holds",
            (Some(false), _) => "MISSED",
            (None, Some(_)) => "not measured",
            (None, None) => "",
        };
        let line = format!("{:<FIGURE$} {value:>12}  {budget:>10} {ratio:>7} {verdict}", row.figure);
        let written = writeln!(text, "{}", line.trim_end());
        debug_assert!(written.is_ok(), "a string takes every line");
    }
    text
}

/// Three digits that count.
fn short(value: f64) -> String {
    match value.abs() {
        large if large >= 100.0 => format!("{value:.0}"),
        middle if middle >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missed_budget_stands_out() {
        let row = |value: Option<f64>, holds, budget| Row {
            figure: "half load: accepted p99".into(),
            value,
            unit: "ms",
            budget,
            ratio: value.map(|value| value / 20.0),
            holds,
        };
        let most = Some(Bound::AtMost(20.0));
        let text = render(&[row(Some(31.4), Some(false), most), row(None, None, most)]);
        assert!(
            text.contains("31.4 ms") && text.contains("≤ 20.0") && text.contains("1.57 MISSED"),
            "{text}"
        );
        assert!(text.contains("not measured"));
    }
}
