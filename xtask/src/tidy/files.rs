//! What every Rust file must and must not hold.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::Violation;
use crate::repo;

const MAX_LINES: usize = 400;
/// Generated, as long as the schema is.
const GENERATED: &str = "core/db/src/schema.rs";
/// The only places that may name the queue library's types: the adapter, its tests, and this file.
const QUEUE: [&str; 4] = [
    "core/jobs/",
    "worker/src/queue",
    "worker/tests/it/queue",
    "xtask/src/tidy/",
];
const QUEUE_PATHS: [&str; 3] = ["apalis::", "apalis_core::", "apalis_redis::"];
/// What has no unit tests, by its manifest.
const UNTESTED: [&str; 6] = [
    "core/db/src/",
    "core/hd/src/",
    "core/testkit/src/",
    "api/src/main.rs",
    "devnet/src/main.rs",
    "worker/src/main.rs",
];
/// How tests and their modules begin.
const TESTS: [&str; 3] = ["#[test]", "#[tokio::test", "#[cfg(test)]"];
/// Built from halves, so that this file does not break its own rules.
const FORBIDDEN: [(&str, &str); 6] = [
    (concat!("#[ig", "nore"), "a test that does not run proves nothing"),
    (concat!("TO", "DO"), "finish it, or open an issue"),
    (concat!("FIX", "ME"), "fix it, or open an issue"),
    (concat!("todo", "!("), "unfinished code must not be merged"),
    (concat!("unimplem", "ented!("), "unfinished code must not be merged"),
    (
        concat!("#[al", "low("),
        "use #[expect(.., reason = \"..\")]: it tells when it is not needed any more",
    ),
];

pub(super) fn check() -> Result<Vec<Violation>> {
    let root = repo::root();
    let mut files = Vec::new();
    list(&root, &mut files)?;
    let mut found = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let name = file.strip_prefix(&root).unwrap_or(&file).to_string_lossy().into_owned();
        found.extend(violations(&name, &text));
        found.extend(never_run(&name, &text));
    }
    Ok(found)
}

/// Every `.rs` file that is ours: not what was built, fetched or generated into hidden folders.
fn list(dir: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(dir).with_context(|| format!("cannot list {}", dir.display()))? {
        let entry = entry.context("cannot list a folder")?;
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        let kind = entry.file_type().context("cannot look at a file")?;
        if kind.is_dir() && !name.starts_with('.') && name != "target" && name != "node_modules" {
            list(&path, files)?;
        } else if kind.is_file() && path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

fn violations(name: &str, text: &str) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut add = |place: String, what: &str, reason| {
        found.push(Violation {
            place,
            found: what.to_owned(),
            reason,
        })
    };
    if !text.starts_with("//!") {
        add(
            name.to_owned(),
            "does not open with `//!`",
            "a file says first what it owns and must not do",
        );
    }
    let lines = text.lines().count();
    let is_test = name.contains("/tests/") || name.ends_with("/tests.rs");
    if lines > MAX_LINES && !is_test && name != GENERATED {
        add(
            name.to_owned(),
            &format!("has {lines} lines"),
            "a file of more than 400 lines does more than one thing",
        );
    }
    let may_queue = QUEUE.iter().any(|place| name.starts_with(place));
    for (index, line) in text.lines().enumerate() {
        let place = || format!("{name}:{}", index + 1);
        for (word, reason) in FORBIDDEN {
            if holds(line, word) {
                add(place(), &format!("`{word}`"), reason);
            }
        }
        let is_comment = line.trim_start().starts_with("//");
        if let Some(path) = QUEUE_PATHS
            .iter()
            .find(|path| !may_queue && !is_comment && holds(line, path))
        {
            add(
                place(),
                &format!("`{path}`"),
                "the queue library stays in worker/src/queue and core/jobs",
            );
        }
    }
    found
}

/// Tests that nothing runs: the manifests switch them off here, for a second build of a large crate costs more than they do.
fn never_run(name: &str, text: &str) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut inside = false;
    let untested = UNTESTED.iter().any(|place| name.starts_with(place));
    for (index, line) in text.lines().enumerate() {
        let mut add = |what: &str, reason| {
            let place = format!("{name}:{}", index + 1);
            let found_here = what.to_owned();
            found.push(Violation {
                place,
                found: found_here,
                reason,
            });
        };
        let line = line.trim_start();
        if untested && TESTS.iter().any(|test| line.starts_with(test)) {
            add(line, "its manifest says `test = false`: write it under tests/");
        }
        let comment = line.strip_prefix("///").or_else(|| line.strip_prefix("//!"));
        let Some(fence) = comment.and_then(|comment| comment.trim().strip_prefix("```")) else {
            continue;
        };
        inside = !inside;
        if inside && (fence.is_empty() || fence.starts_with("rust")) {
            add(
                "an example",
                "manifests say `doctest = false`: write a test, or mark the block as text",
            );
        }
    }
    found
}

/// Whether the word is there, and not as the end or the beginning of a longer one.
fn holds(line: &str, word: &str) -> bool {
    let in_word = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(start, _)| {
        let before = line[..start].chars().next_back();
        let after = line[start + word.len()..].chars().next();
        let open_start = word.starts_with(in_word) && before.is_some_and(in_word);
        let open_end = word.ends_with(in_word) && after.is_some_and(in_word);
        !open_start && !open_end
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(name: &str, text: &str) -> Vec<(String, String)> {
        violations(name, text)
            .into_iter()
            .map(|violation| (violation.place, violation.found))
            .collect()
    }

    #[test]
    fn a_good_file_passes() {
        assert_eq!(broken("core/a/src/lib.rs", "//! A list of todos, by MASTODON.\n"), []);
        assert_eq!(
            broken("worker/src/queue/redis.rs", "//! Q.\nuse apalis_redis::Config;\n"),
            []
        );
        assert_eq!(broken("core/jobs/src/push.rs", "//! Q.\nuse apalis::prelude::*;\n"), []);
        assert_eq!(
            broken("worker/src/lib.rs", "//! Q.\n// apalis::Monitor is in queue\n"),
            []
        );
        assert_eq!(
            broken("core/a/src/tests.rs", &format!("//! T.\n{}", "\n".repeat(500))),
            []
        );
    }

    #[test]
    fn each_rule_is_told_with_its_line() {
        let long = format!("//! L.\n{}", "\n".repeat(400));
        assert_eq!(
            broken("a.rs", "fn a() {}\n"),
            [("a.rs".into(), "does not open with `//!`".into())]
        );
        assert_eq!(broken("a.rs", &long), [("a.rs".into(), "has 401 lines".into())]);
        for (word, _) in FORBIDDEN {
            assert_eq!(
                broken("a.rs", &format!("//! A.\n{word}")),
                [("a.rs:2".into(), format!("`{word}`"))]
            );
        }
        let place = |violation: Violation| violation.place;
        let hidden = |name, text| never_run(name, text).into_iter().map(place).collect::<Vec<_>>();
        assert_eq!(
            hidden("core/db/src/a.rs", "//! A.\n#[cfg(test)]\nmod t {}"),
            ["core/db/src/a.rs:2"]
        );
        assert_eq!(hidden("core/db/tests/it/a.rs", "//! A.\n#[test]\nfn t() {}"), [""; 0]);
        assert_eq!(hidden("a.rs", "//! A.\n/// ```\n/// a\n/// ```\n"), ["a.rs:2"]);
        assert_eq!(hidden("a.rs", "//! A.\n/// ```text\n/// a\n/// ```\n"), [""; 0]);
        let queue = broken("worker/src/lib.rs", "//! W.\nuse apalis::prelude::*;");
        assert_eq!(queue, [("worker/src/lib.rs:2".into(), "`apalis::`".into())]);
    }
}
