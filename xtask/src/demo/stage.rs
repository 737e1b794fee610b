//! What the demo runs on: services, binaries, secrets, a devnet, two workers and one API, as an operator would set them
//! up. Secrets are handed on through the environment of the processes that need them.

use std::io::Read;
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::children::Children;
use super::devnet::Devnet;
use super::http::Http;
use super::screen::Screen;
use super::wait::Waiting;
use crate::interrupt::Interrupt;
use crate::repo;
use crate::services::{Services, free_port};

/// A block each half second whose timestamp is a minute later: an hour's rental passes in half a minute.
const INTERVAL_MS: u64 = 500;
const BLOCK_TIME_MS: u64 = 60_000;
/// How much faster the devnet's time runs than ours.
pub(crate) const SPEED: u64 = BLOCK_TIME_MS / INTERVAL_MS;
const WORKERS: [&str; 2] = ["worker-1", "worker-2"];

/// What differs from a developer's usual settings. Times that follow the chain are longer by the devnet's speed, times
/// that follow the machine are shorter, so that there is something to see.
const SETTINGS: [(&str, &str); 10] = [
    ("NETWORKS__TRON__POLL_INTERVAL_MS", "100"),
    ("NETWORKS__TRON__TRANSACTION_EXPIRY_S", "3600"),
    ("JOBS__DISPATCH_INTERVAL_MS", "200"),
    ("POOL__SYNC_INTERVAL_S", "10"),
    ("SCHEDULES__SYNC_WALLETS__CRON", "*/10 * * * * *"),
    ("SCHEDULES__CHECK_STOCK__CRON", "*/10 * * * * *"),
    ("SCHEDULES__RECONCILE__CRON", "*/2 * * * * *"),
    ("API__DRAIN_TIMEOUT_MS", "5000"),
    ("WORKER__DRAIN_TIMEOUT_MS", "5000"),
    ("TELEMETRY__LOG_FORMAT", "text"),
];

/// Everything that runs.
pub(crate) struct Stage {
    pub(crate) devnet: Devnet,
    /// The API; the key is added once it is made.
    pub(crate) api: Http,
    /// The API's ops port: health, metrics and the API's description.
    pub(crate) api_ops: Http,
    /// The ops ports of the workers.
    pub(crate) workers: Vec<Http>,
    binaries: PathBuf,
    /// For `switchyard-worker`, whatever it is told to do.
    worker_environment: Vec<(String, String)>,
}

/// Builds the programs, in the profile that we are built in.
pub(crate) fn build(interrupt: &Interrupt) -> Result<PathBuf> {
    let ours = std::env::current_exe().context("cannot tell where the programs are")?;
    let folder = ours.parent().context("cannot tell where the programs are")?.to_owned();
    let mut cargo = repo::cargo();
    cargo.args(["build", "--bins"]);
    for package in ["switchyard-api", "switchyard-worker", "switchyard-devnet"] {
        cargo.args(["--package", package]);
    }
    if folder.ends_with("release") {
        cargo.arg("--release");
    }
    // cargo's own progress is shown on standard error
    if !interrupt.run(&mut cargo)?.success() {
        bail!("the programs could not be built");
    }
    Ok(folder)
}

impl Stage {
    /// Sets everything up and waits until it answers.
    pub(crate) fn start(
        binaries: PathBuf,
        services: &Services,
        children: &mut Children,
        (interrupt, waiting, screen): (&Interrupt, &Waiting<'_>, &mut Screen),
    ) -> Result<Self> {
        let [api, api_ops, worker_1, worker_2, node, admin] = free_ports([8080, 8081, 8082, 8083, 8090, 8091])?;
        let at = |port: u16| Http::open(format!("http://127.0.0.1:{port}"));
        let mut stage = Self {
            devnet: Devnet {
                node: at(node),
                admin: at(admin),
            },
            api: at(api),
            api_ops: at(api_ops),
            workers: vec![at(worker_1), at(worker_2)],
            binaries,
            worker_environment: Vec::new(),
        };
        screen
            .line("• secrets from `switchyard-worker keygen`, tables from `switchyard-worker migrate` 生成密钥、建表");
        let keys = stage.keygen(interrupt, children)?;
        let migrate = [("DATABASE__URL", services.database_owner_url.as_str())];
        stage.operator(interrupt, children, &migrate, &["migrate"])?;
        stage.start_devnet(children, (node, admin))?;
        let mut shared = stage.shared_environment(services);
        shared.extend(keys.public);
        stage.worker_environment.clone_from(&shared);
        stage.worker_environment.extend(keys.private);
        let url = (
            "SWITCHYARD__DATABASE__URL".to_owned(),
            services.database_worker_url.clone(),
        );
        stage.worker_environment.push(url);
        stage.start_api(children, &shared, services, (api, api_ops))?;
        stage.start_workers(children, [worker_1, worker_2])?;
        screen.line("• a TRON devnet, one API and two workers start 启动测试链、接口与两个工作进程");
        waiting.until(children, "the API, the workers and the devnet answer", || {
            let ops = stage.workers.iter().chain([&stage.api_ops]);
            let ready = ops.into_iter().all(|ops| ops.text("/health/ready").is_some());
            Ok((ready && stage.devnet.is_up()).then_some(()))
        })?;
        Ok(stage)
    }

    /// Runs a command of `switchyard-worker` as its operator does, and answers what it prints.
    pub(crate) fn worker(&self, interrupt: &Interrupt, children: &Children, args: &[&str]) -> Result<String> {
        let environment: Vec<(&str, &str)> = self
            .worker_environment
            .iter()
            .map(|(name, value)| (name.trim_start_matches("SWITCHYARD__"), value.as_str()))
            .collect();
        self.operator(interrupt, children, &environment, args)
    }

    fn operator(
        &self,
        interrupt: &Interrupt,
        children: &Children,
        environment: &[(&str, &str)],
        args: &[&str],
    ) -> Result<String> {
        // what it prints may be secret: it goes through a pipe, never into a file. It is far less than a pipe holds
        let (mut output, input) = std::io::pipe().context("cannot make a pipe")?;
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(children.log("operator"))
            .context("cannot open the log")?;
        let mut command = self.program("switchyard-worker");
        let settings = environment
            .iter()
            .map(|(name, value)| (format!("SWITCHYARD__{name}"), value));
        command.args(args).envs(settings).stdout(input).stderr(log);
        let status = interrupt.run(&mut command)?;
        drop(command); // and with it our end of the pipe that is written to
        let mut text = String::new();
        output.read_to_string(&mut text).context("cannot read the output")?;
        if !status.success() {
            bail!("`switchyard-worker {}` failed ({status})", args.join(" "));
        }
        Ok(text)
    }

    fn keygen(&self, interrupt: &Interrupt, children: &Children) -> Result<Keys> {
        let text = self.operator(interrupt, children, &[], &["keygen"])?;
        let variables = text.lines().filter_map(|line| line.split_once('='));
        let (public, private): (Vec<_>, Vec<_>) = variables
            .filter(|(name, _)| name.starts_with("SWITCHYARD__"))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .partition(|(name, _)| name.ends_with("_PUBLIC_KEY"));
        if public.len() != 1 || private.len() != 2 {
            bail!("`switchyard-worker keygen` printed something else than three keys");
        }
        Ok(Keys { public, private })
    }

    fn start_devnet(&self, children: &mut Children, (node, admin): (u16, u16)) -> Result<()> {
        let mut devnet = self.program("switchyard-devnet");
        devnet.args([
            format!("--listen=127.0.0.1:{node}"),
            format!("--admin-listen=127.0.0.1:{admin}"),
            format!("--interval-ms={INTERVAL_MS}"),
            format!("--block-time-ms={BLOCK_TIME_MS}"),
            "--solid-lag=2".to_owned(),
        ]);
        children.start("devnet", &mut devnet)
    }

    fn start_api(
        &self,
        children: &mut Children,
        shared: &[(String, String)],
        services: &Services,
        (listen, ops): (u16, u16),
    ) -> Result<()> {
        let mut api = self.program("switchyard-api");
        api.arg("serve")
            .envs(shared.iter().map(|(name, value)| (name, value)))
            .env("SWITCHYARD__DATABASE__URL", &services.database_api_url)
            .env("SWITCHYARD__API__LISTEN", format!("127.0.0.1:{listen}"))
            .env("SWITCHYARD__API__OPS_LISTEN", format!("127.0.0.1:{ops}"));
        children.start("api", &mut api)
    }

    fn start_workers(&self, children: &mut Children, ops: [u16; 2]) -> Result<()> {
        for (name, port) in WORKERS.into_iter().zip(ops) {
            let mut worker = self.program("switchyard-worker");
            worker
                .arg("run")
                .envs(self.worker_environment.iter().map(|(name, value)| (name, value)))
                .env("SWITCHYARD__WORKER__OPS_LISTEN", format!("127.0.0.1:{port}"));
            children.start(name, &mut worker)?;
        }
        Ok(())
    }

    /// What the API and the workers share; nothing in it is for signing.
    fn shared_environment(&self, services: &Services) -> Vec<(String, String)> {
        let node = &self.devnet.node.base;
        let endpoints = format!("[{{name=\"devnet\",url=\"{node}\",requests_per_second=1000,timeout_ms=5000}}]");
        let set = |(name, value): (&str, &str)| (format!("SWITCHYARD__{name}"), value.to_owned());
        let of_this_run = [
            ("REDIS__URL", services.redis_url.as_str()),
            ("NETWORKS__TRON__ENDPOINTS", &endpoints),
        ];
        SETTINGS.into_iter().chain(of_this_run).map(set).collect()
    }

    /// One of our programs, with no setting of the caller's own shell.
    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.binaries.join(name));
        command.current_dir(repo::root());
        for (variable, _) in std::env::vars_os() {
            if variable.to_string_lossy().starts_with("SWITCHYARD_") {
                command.env_remove(variable);
            }
        }
        command.env("SWITCHYARD_ENV", "dev").env_remove("RUST_LOG");
        command
    }
}

/// What `keygen` printed, as variables.
struct Keys {
    /// For the API too.
    public: Vec<(String, String)>,
    /// For workers only.
    private: Vec<(String, String)>,
}

/// The preferred ports, or others where they are taken. All are held until the last is found, so that they differ.
fn free_ports<const N: usize>(preferred: [u16; N]) -> Result<[u16; N]> {
    let mut held = Vec::with_capacity(N);
    let mut ports = preferred;
    for port in &mut ports {
        *port = free_port(Some(*port))?;
        held.push(TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).context("a free port was taken")?);
    }
    Ok(ports)
}
