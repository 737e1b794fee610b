//! `cargo xtask demo`: the whole service on this machine, against a TRON network in a process. Sells energy before one's
//! eyes, proves that everything ended as it should, and stops what it started.

mod deposits;
mod orders;
mod proof;
mod screen;
mod summary;
mod walk;

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::interrupt::Interrupt;
use crate::services::Ephemeral;
use crate::stage::books::Books;
use crate::stage::children::Children;
use crate::stage::shop;
use crate::stage::wait::Waiting;
use crate::stage::{self, Plan, Profile, Stage};
use proof::{Check, Outcome};
use screen::Screen;
use summary::Summary;
use walk::{USER, Walk, Walked};

/// From the first process to the last proof.
const LIMIT: Duration = Duration::from_secs(240);

/// How much faster the devnet's time runs than ours: a block each half second whose timestamp is a minute later, and an
/// hour's rental passes in half a minute.
const SPEED: u64 = 120;
const DEVNET: [&str; 3] = ["--interval-ms=500", "--block-time-ms=60000", "--solid-lag=2"];
const WORKERS: u16 = 2;
/// Who may sign in on the operators' page.
const OPERATOR: &str = "operator@example.org";
const PACKAGES: [&str; 3] = ["switchyard-api", "switchyard-worker", "switchyard-devnet"];

/// The account m/44'/195'/0' of the words "abandon … about", which are in every book: for money out of nothing alone.
const ACCOUNT_XPUB: &str =
    "xpub6D1AabNHCupeiLM65ZR9UStMhJ1vCpyV4XbZdyhMZBiJXALQtmn9p42VTQckoHVn8WNqS7dqnJokZHAHcHGoaQgmv8D45oNUKx6DZMNZBCd";

/// What differs from a developer's usual settings. Times that follow the chain are longer by the devnet's speed, times
/// that follow the machine are shorter, so that there is something to see.
const SETTINGS: [(&str, &str); 15] = [
    ("NETWORKS__TRON__POLL_INTERVAL_MS", "100"),
    ("NETWORKS__TRON__TRANSACTION_EXPIRY_S", "3600"),
    ("NETWORKS__TRON__TOKENS__USDT", "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"),
    ("DEPOSITS__WAYS", "address,amount"),
    ("DEPOSITS__ACCOUNT_XPUB", ACCOUNT_XPUB),
    ("DEPOSITS__SHARED_ADDRESS", "TUJ2YbSDGtCqzRz7quPQidRCMC98jDAPXc"),
    ("DEPOSITS__EXPIRY_S", "86400"),
    ("JOBS__DISPATCH_INTERVAL_MS", "200"),
    ("POOL__SYNC_INTERVAL_S", "10"),
    ("SCHEDULES__SYNC_WALLETS__CRON", "*/10 * * * * *"),
    ("SCHEDULES__CHECK_STOCK__CRON", "*/10 * * * * *"),
    ("SCHEDULES__RECONCILE__CRON", "*/2 * * * * *"),
    ("API__DRAIN_TIMEOUT_MS", "5000"),
    ("WORKER__DRAIN_TIMEOUT_MS", "5000"),
    ("TELEMETRY__LOG_FORMAT", "text"),
];

/// What the demo is asked for.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct DemoOptions {
    /// End after the walk-through instead of serving until Ctrl-C
    #[arg(long)]
    once: bool,
    /// Print one JSON summary on standard output, and everything else on standard error
    #[arg(long)]
    json: bool,
    /// Orders to place; the last of them cannot be delivered
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u8).range(2..=60))]
    orders: u8,
}

/// One run. Dropped, the processes end first and then the services that they use.
struct Demo<'a> {
    interrupt: &'a Interrupt,
    screen: Screen,
    children: Children,
    services: Option<Ephemeral>,
    build: Duration,
    walked: Option<Walked>,
    broadcasts: Vec<(String, i64)>,
    proof: Option<(Books, Vec<Check>)>,
}

/// Runs the demo; an error if anything is not as it should be. Whatever was started has ended when this returns.
pub(crate) fn run(interrupt: &Interrupt, options: &DemoOptions) -> Result<()> {
    let mut demo = Demo {
        interrupt,
        screen: Screen::new(options.json),
        children: Children::claim("demo")?,
        services: None,
        build: Duration::ZERO,
        walked: None,
        broadcasts: Vec::new(),
        proof: None,
    };
    let begin = Instant::now();
    let played = demo.play(usize::from(options.orders));
    let elapsed = begin.elapsed().saturating_sub(demo.build);
    if options.json {
        demo.print_summary(played.as_ref().err(), elapsed)?;
    }
    if played.is_err() && interrupt.check().is_ok() {
        eprintln!("{}", demo.children.tails());
    }
    let stage = played?;
    let seconds = elapsed.as_secs();
    demo.screen
        .line(&format!("\nAll is as it should be 一切正常 ({seconds} s)"));
    if !options.once {
        demo.serve(&stage)?;
    }
    Ok(())
}

impl Demo<'_> {
    /// Everything from the build to the proof.
    fn play(&mut self, orders: usize) -> Result<Stage> {
        self.screen
            .line("Switchyard demo 演示: a TRON devnet, PostgreSQL, Redis, one API, two workers\n");
        self.screen
            .line("• programs are built; the first time this takes minutes 编译程序");
        let begin = Instant::now();
        let binaries = stage::build(self.interrupt, Profile::Ours, &PACKAGES)?;
        self.build = begin.elapsed();
        let waiting = Waiting::new(self.interrupt, LIMIT);
        self.screen
            .line("• a private PostgreSQL and Redis start on free ports 启动私有数据库");
        let services = &self.services.insert(Ephemeral::start("demo")?).services;
        self.screen
            .line("• secrets from `switchyard-worker keygen`, tables from `switchyard-worker migrate` 生成密钥、建表");
        let plan = Plan {
            settings: &SETTINGS,
            devnet: &DEVNET,
            node: None,
            requests_per_second: 1_000,
        };
        let mut stage = Stage::prepare(binaries, services, (self.interrupt, &mut self.children), &plan)?;
        self.screen
            .line("• a TRON devnet, one API and two workers start 启动测试链、接口与两个工作进程");
        stage.start_api(&mut self.children)?;
        stage.start_workers(&mut self.children, WORKERS)?;
        stage.wait(&self.children, &waiting)?;
        self.screen.line(&format!(
            "• the devnet's clock runs {SPEED} times as fast as yours: an hour passes in {} s 测试链时间加速",
            3_600 / SPEED
        ));
        let walk = Walk {
            stage: &mut stage,
            children: &self.children,
            interrupt: self.interrupt,
            waiting: &waiting,
            screen: &mut self.screen,
        };
        let walked = self.walked.insert(walk.run(orders)?);
        self.broadcasts = proof::broadcasts(services)?;
        self.screen
            .line("\n• the product's own reconciler looks at the books 等待产品自身对账");
        wait_for_reconciler(&stage, &waiting, &self.children)?;
        let outcome = Outcome {
            user: USER,
            deposits: &walked.deposits,
            orders: &walked.orders,
            replay: &walked.replay,
            wallets: &walked.wallets,
        };
        let (_, checks) = self.proof.insert(proof::prove(&stage, services, &outcome)?);
        for check in &*checks {
            let mark = if check.ok { "✓" } else { "✗" };
            self.screen
                .line(&format!("{mark} {} {} ({})", check.what, check.what_zh, check.detail));
        }
        self.children.check()?;
        match checks.iter().find(|check| !check.ok) {
            None => Ok(stage),
            Some(check) => bail!("not so: {} ({})", check.what, check.detail),
        }
    }

    fn print_summary(&self, failure: Option<&anyhow::Error>, elapsed: Duration) -> Result<()> {
        let mut summary = Summary::of(failure, self.build, elapsed);
        if let Some(walked) = &self.walked {
            summary = summary.with_deposits(walked).with_orders(walked, &self.broadcasts);
        }
        if let Some((books, checks)) = &self.proof {
            summary = summary.with_proof(books, checks);
        }
        println!(
            "{}",
            serde_json::to_string_pretty(&summary).context("cannot write JSON")?
        );
        Ok(())
    }

    /// Shows where everything is, and keeps it running until somebody asks to stop.
    fn serve(&mut self, stage: &Stage) -> Result<()> {
        let key = stage.api.api_key.as_deref().unwrap_or_default();
        let (api, ops) = (&stage.api.base, &stage.api_ops.base);
        let password = shop::create_operator(stage, self.interrupt, &self.children, (OPERATOR, "Demo"))?;
        self.screen.line(&format!(
            "\n  API 接口         {api}\n  API docs 文档    {ops}/docs\n  \
             operators 操作台 {api}/operations/ · {OPERATOR} · {password}\n  health 健康      {ops}/health/ready\n  \
             metrics 指标     {ops}/metrics\n  workers 工作进程 {}\n  TRON node 节点   {}\n  devnet admin     {}/status\n  \
             logs 日志        {}\n",
            stage
                .workers
                .iter()
                .map(|worker| format!("{}/metrics", worker.base))
                .collect::<Vec<_>>()
                .join(" "),
            stage.devnet.node.base,
            stage.devnet.admin()?.base,
            self.children.home().join("logs").display(),
        ));
        self.screen.line(&format!(
            "curl -sS {api}/api/orders -H 'Authorization: Bearer {key}' -H 'Idempotency-Key: mine-1' \\\n  \
             -H 'Content-Type: application/json' \\\n  \
             -d '{{\"user_id\":{USER},\"receiver\":\"{}\",\"energy\":65000,\"duration_s\":3600}}'\n\n\
             Ctrl-C stops everything 按 Ctrl-C 全部停止",
            orders::RECEIVERS[0]
        ));
        while self.interrupt.check().is_ok() {
            self.children.check()?;
            thread::sleep(Duration::from_millis(200));
        }
        Ok(())
    }
}

/// Waits until the reconciler has begun and ended a run after now: the one in progress began before.
fn wait_for_reconciler(stage: &Stage, waiting: &Waiting<'_>, children: &Children) -> Result<()> {
    let wanted = reconciler_runs(stage) + 2;
    waiting.until(children, "the reconciler runs", || {
        Ok((reconciler_runs(stage) >= wanted).then_some(()))
    })
}

/// How often the workers reconciled, by their metrics.
fn reconciler_runs(stage: &Stage) -> u64 {
    let metrics = stage.workers.iter().filter_map(|worker| worker.text("/metrics"));
    metrics.map(|text| count_runs(&text)).sum()
}

fn count_runs(metrics: &str) -> u64 {
    let runs = metrics.lines().filter(|line| {
        line.starts_with("switchyard_job_runs_total{")
            && line.contains("kind=\"operations.reconcile\"")
            && line.contains("outcome=\"done\"")
    });
    runs.filter_map(|line| line.rsplit_once(' ')?.1.parse::<u64>().ok())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_finished_runs_of_the_reconciler_count() {
        let metrics = "switchyard_job_runs_total{kind=\"operations.reconcile\",outcome=\"done\"} 3\n\
                       switchyard_job_runs_total{kind=\"operations.reconcile\",outcome=\"retry\"} 5\n\
                       switchyard_job_runs_total{kind=\"operations.prune\",outcome=\"done\"} 7\n\
                       # HELP switchyard_job_runs_total\n";
        assert_eq!(count_runs(metrics), 3);
        assert_eq!(count_runs(""), 0);
    }
}
