//! What processes used, as Linux tells it under /proc. Elsewhere there is nothing to read, and the figures are missing.

use std::fs;

/// Linux counts CPU time in hundredths of a second, whatever the kernel's own clock.
const MS_PER_TICK: u64 = 10;

/// One process's times, in milliseconds.
struct Times {
    parent: i32,
    own: u64,
    /// Of its children that have ended.
    ended: u64,
}

fn times(pid: &str) -> Option<Times> {
    parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// The name, in parentheses, may hold anything; then state, parent, and as fields 14 to 17 the times.
fn parse(stat: &str) -> Option<Times> {
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |field: usize| fields.get(field - 3)?.parse::<u64>().ok();
    Some(Times {
        parent: fields.get(1)?.parse().ok()?,
        own: (ticks(14)? + ticks(15)?) * MS_PER_TICK,
        ended: (ticks(16)? + ticks(17)?) * MS_PER_TICK,
    })
}

/// CPU milliseconds of a process and everything below it, ended or not.
pub(crate) fn of_tree(pid: i32) -> Option<u64> {
    let root = times(&pid.to_string())?;
    let mut sum = root.own + root.ended;
    for entry in fs::read_dir("/proc").ok()?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let child = name.parse::<i32>().ok().filter(|child| *child != pid);
        if let Some(child) = child.and_then(|_| times(&name)).filter(|child| child.parent == pid) {
            sum += child.own + child.ended;
        }
    }
    Some(sum)
}

/// CPU milliseconds of the children of ours that have ended.
pub(crate) fn of_ended_children() -> Option<u64> {
    times("self").map(|times| times.ended)
}

/// The most memory that a process ever held, in KiB.
pub(crate) fn peak_rss_kib(pid: i32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_behind_any_name() {
        let stat = "7 (a) b)) S 3 7 7 0 -1 4194304 1 2 3 4 150 50 20 5 20 0 1 0 99 1 2";
        let times = parse(stat).unwrap();
        assert_eq!((times.parent, times.own, times.ended), (3, 2_000, 250));
        assert!(parse("7 (x) S 3").is_none());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn we_use_memory() {
        let pid = i32::try_from(std::process::id()).unwrap();
        assert!(peak_rss_kib(pid).unwrap() > 100);
        assert!(of_tree(pid).is_some() && of_ended_children().is_some());
    }
}
