//! SIGTERM and SIGINT: the first asks the process to finish, the second ends it.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// The exit code after a second signal.
pub const FORCED_EXIT_CODE: i32 = 130;

/// A token that is cancelled by the first signal. A second one ends the process at once, with
/// [`FORCED_EXIT_CODE`]. Needs a tokio runtime.
///
/// # Errors
/// When the signal handlers cannot be installed.
pub fn listen() -> std::io::Result<CancellationToken> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let token = CancellationToken::new();
    let cancelled = token.clone();
    tokio::spawn(async move {
        let name = either(&mut terminate, &mut interrupt).await;
        tracing::info!(signal = name, "stopping; a second signal ends the process at once");
        cancelled.cancel();
        let name = either(&mut terminate, &mut interrupt).await;
        tracing::warn!(
            signal = name,
            "ended by a second signal; work in flight is left to others"
        );
        std::process::exit(FORCED_EXIT_CODE);
    });
    Ok(token)
}

async fn either(terminate: &mut Signal, interrupt: &mut Signal) -> &'static str {
    tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Write};
    use std::process::{Command, Stdio};

    const CHILD: &str = "SWITCHYARD_SHUTDOWN_TEST_CHILD";

    /// Not a test of its own: the process that the test below sends signals to.
    #[test]
    fn child() {
        if std::env::var_os(CHILD).is_none() {
            return;
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let token = super::listen().unwrap();
            say("listening");
            token.cancelled().await;
            say("cancelled");
            std::future::pending::<()>().await;
        });
    }

    /// Past the test harness, which captures `println!`.
    fn say(word: &str) {
        let mut out = std::io::stdout();
        out.write_all(format!("\n{word}\n").as_bytes()).unwrap();
        out.flush().unwrap();
    }

    #[test]
    fn the_first_signal_cancels_and_the_second_ends() {
        for signal in ["-TERM", "-INT"] {
            let mut child = Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "shutdown::tests::child", "--nocapture"])
                .env(CHILD, "1")
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
            let kill = || {
                assert!(
                    Command::new("kill")
                        .arg(signal)
                        .arg(child.id().to_string())
                        .status()
                        .unwrap()
                        .success()
                )
            };
            assert!(lines.any(|line| line == "listening"));
            kill();
            assert!(lines.any(|line| line == "cancelled"));
            kill();
            assert_eq!(child.wait().unwrap().code(), Some(super::FORCED_EXIT_CODE));
        }
    }
}
