//! Tables for spreadsheets (RFC 4180), sent page by page as they are read: no table is ever held whole.

use axum::body::Body;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, SecondsFormat, Utc};
use futures::stream::{self, StreamExt};

use crate::problem::Problem;

/// Rows read at a time.
pub(crate) const PAGE: i64 = 500;
/// More lines are not sent at once.
const LINES: usize = 300_000;

/// The next rows of a table.
pub(crate) struct Lines {
    rows: Vec<Vec<String>>,
    /// Whether there may be more.
    more: bool,
}

impl Lines {
    /// Of what one read found.
    pub(crate) fn of<T>(found: Vec<T>, line: impl FnMut(T) -> Result<Vec<String>, Problem>) -> Result<Self, Problem> {
        Self::of_up_to(PAGE, found, line)
    }

    /// Of what one read of at most so many rows found.
    pub(crate) fn of_up_to<T>(
        limit: i64,
        found: Vec<T>,
        line: impl FnMut(T) -> Result<Vec<String>, Problem>,
    ) -> Result<Self, Problem> {
        let more = i64::try_from(found.len()).is_ok_and(|count| count == limit);
        let rows = found.into_iter().map(line).collect::<Result<_, _>>()?;
        Ok(Self { rows, more })
    }
}

/// What a table is read from.
pub(crate) trait Pages: Send + 'static {
    /// At most [`PAGE`] rows, fewer where each may be large, and each behind the last one of the read before.
    fn next(&mut self) -> impl Future<Output = Result<Lines, Problem>> + Send;
}

/// Answers a table. Beyond 300,000 lines the connection is closed before the end.
pub(crate) async fn answer(name: &str, head: &[&str], mut pages: impl Pages) -> Result<Response, Problem> {
    // what fails at once is told with its own status
    let first = pages.next().await?;
    let internal = |error: std::io::Error| Problem::internal(error.to_string());
    let begun = [row(head).map_err(internal)?, table(&first.rows).map_err(internal)?];
    let sent = first.rows.len();
    let rest = stream::try_unfold((pages, first.more, sent), |(mut pages, more, sent)| async move {
        if !more {
            return Ok(None);
        }
        if sent >= LINES {
            return Err(std::io::Error::other("more lines than are exported at once"));
        }
        let lines = pages.next().await.map_err(|problem| broken_off(&problem))?;
        Ok(Some((
            table(&lines.rows)?,
            (pages, lines.more, sent + lines.rows.len()),
        )))
    });
    let body = Body::from_stream(stream::iter(begun.map(Ok)).chain(rest));
    let name = HeaderValue::try_from(format!("attachment; filename=\"{name}.csv\""));
    let headers = HeaderMap::from_iter([
        (CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8")),
        (
            CONTENT_DISPOSITION,
            name.map_err(|error| Problem::internal(error.to_string()))?,
        ),
    ]);
    Ok((headers, body).into_response())
}

/// A time as a cell.
pub(crate) fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// What may be missing as a cell.
pub(crate) fn shown<T: ToString>(cell: Option<T>) -> String {
    cell.map(|cell| cell.to_string()).unwrap_or_default()
}

/// What people write must not be a formula to who opens the table.
pub(crate) fn harmless(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        return format!("'{text}");
    }
    text.to_owned()
}

/// The connection is closed without an end, so that nobody takes half a table for a whole one.
fn broken_off(problem: &Problem) -> std::io::Error {
    let why = problem.cause().unwrap_or("unknown").to_owned();
    tracing::error!(error = why, "an export broke off");
    std::io::Error::other("the export broke off")
}

fn table(rows: &[Vec<String>]) -> Result<Vec<u8>, std::io::Error> {
    let mut text = Vec::new();
    for cells in rows {
        text.extend(row(cells)?);
    }
    Ok(text)
}

fn row<T: AsRef<[u8]>>(cells: &[T]) -> Result<Vec<u8>, std::io::Error> {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    writer.write_record(cells).map_err(std::io::Error::other)?;
    writer
        .into_inner()
        .map_err(|error| std::io::Error::other(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_quoted_where_they_have_to_be() {
        let text = String::from_utf8(row(&["a", "b,c", "say \"hi\"", &harmless("=1+1"), ""]).unwrap()).unwrap();
        assert_eq!(text, "a,\"b,c\",\"say \"\"hi\"\"\",'=1+1,\r\n");
        assert_eq!(harmless("-1"), "'-1");
        assert_eq!(harmless("\t=1"), "'\t=1");
        assert_eq!(harmless("paid by card"), "paid by card");
    }
}
