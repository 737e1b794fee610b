//! What a person sees: lines, and a table that is redrawn in place where the terminal can do that.

use std::io::{IsTerminal, Write};

/// More rows than this could be taller than the terminal, where going up again ends at its top.
const ROWS_IN_PLACE: usize = 20;

/// The terminal, or whatever stands in for it.
pub(crate) struct Screen {
    /// Standard output is kept for the summary.
    to_stderr: bool,
    in_place: bool,
    /// Lines of the table that stand on the screen and may be drawn over.
    drawn: usize,
    last: Vec<String>,
}

impl Screen {
    /// With `json`, everything for people goes to standard error.
    pub(crate) fn new(json: bool) -> Self {
        let terminal = if json {
            std::io::stderr().is_terminal()
        } else {
            std::io::stdout().is_terminal()
        };
        let capable = std::env::var_os("TERM").is_some_and(|term| term != "dumb");
        Self {
            to_stderr: json,
            in_place: terminal && capable,
            drawn: 0,
            last: Vec::new(),
        }
    }

    /// Prints a line; a table above it stays as it is.
    pub(crate) fn line(&mut self, text: &str) {
        self.drawn = 0;
        self.write(&format!("{text}\n"));
    }

    /// Shows a table: over the previous one and with a footer, or, where that cannot be done, its rows that changed.
    pub(crate) fn table(&mut self, header: &[String], rows: &[String], footer: &str) {
        let mut text = String::new();
        if self.in_place && rows.len() <= ROWS_IN_PLACE {
            if self.drawn > 0 {
                text.push_str(&format!("\x1b[{}A", self.drawn));
            }
            // lines are cut at the right edge, not wrapped: a wrapped one would take two rows
            text.push_str("\x1b[?7l");
            for line in header.iter().chain(rows).map(String::as_str).chain([footer]) {
                text.push_str(&format!("\x1b[2K{line}\n"));
            }
            text.push_str("\x1b[?7h");
            self.drawn = header.len() + rows.len() + 1;
        } else {
            if self.last.is_empty() {
                text.push_str(&format!("{}\n", header.join("\n")));
            }
            let changed = rows.iter().filter(|row| !self.last.contains(row));
            text.extend(changed.map(|row| format!("{row}\n")));
        }
        self.write(&text);
        self.last = rows.to_vec();
    }

    /// A reader that is gone (`cargo xtask demo | head`) must not stop the demo's orderly end.
    fn write(&self, text: &str) {
        let written = if self.to_stderr {
            std::io::stderr().write_all(text.as_bytes())
        } else {
            let mut out = std::io::stdout();
            out.write_all(text.as_bytes()).and_then(|()| out.flush())
        };
        drop(written);
    }
}

/// `text` filled up with blanks to `width` columns; Chinese characters take two.
pub(crate) fn pad(text: &str, width: usize) -> String {
    let taken: usize = text.chars().map(|c| if is_wide(c) { 2 } else { 1 }).sum();
    format!("{text}{}", " ".repeat(width.saturating_sub(taken)))
}

fn is_wide(c: char) -> bool {
    matches!(c, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe6f}' | '\u{ff00}'..='\u{ff60}' | '\u{ffe0}'..='\u{ffe6}')
}

/// The two ends of a long name.
pub(crate) fn short(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    if chars.len() <= 9 {
        return text.to_owned();
    }
    let (head, tail) = (&chars[..4], &chars[chars.len() - 4..]);
    format!(
        "{}…{}",
        head.iter().collect::<String>(),
        tail.iter().collect::<String>()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_with_chinese_in_them() {
        assert_eq!(pad("state 状态", 12), "state 状态  ");
        assert_eq!(pad("ab", 1), "ab");
    }

    #[test]
    fn long_names_keep_both_ends() {
        assert_eq!(short("TA1XGGPhWWPQP9nPYVsLAkncRC2vRmJeod"), "TA1X…Jeod");
        assert_eq!(short("short"), "short");
    }
}
