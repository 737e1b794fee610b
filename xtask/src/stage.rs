//! What a run stands on: binaries, secrets, tables, a devnet, one API and any number of workers, as an operator would set
//! them up. Secrets are handed on through the environment of the processes that need them.

pub(crate) mod books;
pub(crate) mod children;
pub(crate) mod devnet;
pub(crate) mod http;
pub(crate) mod shop;
pub(crate) mod wait;

use std::io::Read;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::interrupt::Interrupt;
use crate::repo;
use crate::services::{Services, free_port};
use children::Children;
use devnet::Devnet;
use http::Http;
use wait::Waiting;

/// The ports that are taken where they are free: API and its ops port, node and its admin port, then the workers'.
const PORTS: [u16; 4] = [8080, 8081, 8090, 8091];
const WORKER_PORT: u16 = 8082;

/// How a run differs from others.
pub(crate) struct Plan<'a> {
    /// Settings of the API and the workers, by the variable's name after `SWITCHYARD__`.
    pub(crate) settings: &'a [(&'a str, &'a str)],
    /// What the devnet is started with, beside its ports.
    pub(crate) devnet: &'a [&'a str],
    /// A node that runs already, in place of a devnet.
    pub(crate) node: Option<&'a str>,
    /// How often a worker may call the node in a second.
    pub(crate) requests_per_second: u32,
}

/// Everything that runs.
pub(crate) struct Stage {
    pub(crate) devnet: Devnet,
    /// The API; the key is added once it is made.
    pub(crate) api: Http,
    /// The API's ops port: health, metrics and the API's description.
    pub(crate) api_ops: Http,
    /// The ops ports of the workers that run.
    pub(crate) workers: Vec<Http>,
    binaries: PathBuf,
    /// For `switchyard-api serve`.
    api_environment: Vec<(String, String)>,
    /// For `switchyard-worker`, whatever it is told to do.
    worker_environment: Vec<(String, String)>,
}

/// Which of cargo's profiles the programs are built in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// The one that we are built in.
    Ours,
    /// Optimised, whatever ours is.
    Release,
}

/// Builds programs of ours, given as packages; answers the folder that they are in.
pub(crate) fn build(interrupt: &Interrupt, profile: Profile, packages: &[&str]) -> Result<PathBuf> {
    let ours = std::env::current_exe().context("cannot tell where the programs are")?;
    let mut folder = ours.parent().context("cannot tell where the programs are")?.to_owned();
    if profile == Profile::Release {
        folder.set_file_name("release");
    }
    let mut cargo = repo::cargo();
    cargo.args(["build", "--bins"]);
    for package in packages {
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
    /// Makes secrets and tables, and starts the devnet unless there is a node already. API and workers are still to be
    /// started.
    pub(crate) fn prepare(
        binaries: PathBuf,
        services: &Services,
        (interrupt, children): (&Interrupt, &mut Children),
        plan: &Plan<'_>,
    ) -> Result<Self> {
        let [api, api_ops, node, admin] = free_ports(PORTS)?;
        let at = |port: u16| Http::open(format!("http://127.0.0.1:{port}"));
        let mut stage = Self {
            devnet: match plan.node {
                Some(url) => Devnet::foreign(url),
                None => Devnet::new(at(node), at(admin)),
            },
            api: at(api),
            api_ops: at(api_ops),
            workers: Vec::new(),
            binaries,
            api_environment: Vec::new(),
            worker_environment: Vec::new(),
        };
        let keys = stage.keygen(interrupt, children)?;
        let migrate = [("DATABASE__URL", services.database_owner_url.as_str())];
        stage.operator(interrupt, children, &migrate, &["migrate"])?;
        if plan.node.is_none() {
            stage.start_devnet(children, (node, admin), plan.devnet)?;
        }
        let mut shared = stage.shared_environment(services, plan);
        shared.extend(keys.shared);
        let set = |(name, value): (&str, String)| (format!("SWITCHYARD__{name}"), value);
        stage.worker_environment.clone_from(&shared);
        stage.worker_environment.extend(keys.workers);
        let worker_url = services.database_worker_url.clone();
        stage.worker_environment.push(set(("DATABASE__URL", worker_url)));
        stage.api_environment = shared;
        let of_api = [
            ("DATABASE__URL", services.database_api_url.clone()),
            ("API__LISTEN", format!("127.0.0.1:{api}")),
            ("API__OPS_LISTEN", format!("127.0.0.1:{api_ops}")),
        ];
        stage.api_environment.extend(of_api.map(set));
        stage.api_environment.extend(keys.api);
        Ok(stage)
    }

    /// Starts the API.
    pub(crate) fn start_api(&self, children: &mut Children) -> Result<()> {
        let mut api = self.program("switchyard-api");
        api.arg("serve").envs(self.api_environment.iter().cloned());
        children.start("api", &mut api)
    }

    /// Starts so many workers.
    pub(crate) fn start_workers(&mut self, children: &mut Children, count: u16) -> Result<()> {
        for n in 1..=count {
            let port = free_port(Some(WORKER_PORT + n - 1))?;
            let mut worker = self.program("switchyard-worker");
            worker
                .arg("run")
                .envs(self.worker_environment.iter().cloned())
                .env("SWITCHYARD__WORKER__OPS_LISTEN", format!("127.0.0.1:{port}"));
            children.start(&format!("worker-{n}"), &mut worker)?;
            self.workers.push(Http::open(format!("http://127.0.0.1:{port}")));
        }
        Ok(())
    }

    /// Waits until everything that was started answers.
    pub(crate) fn wait(&self, children: &Children, waiting: &Waiting<'_>) -> Result<()> {
        waiting.until(children, "the API, the workers and the node answer", || {
            let ops = self.workers.iter().chain([&self.api_ops]);
            let ready = ops.into_iter().all(|ops| ops.text("/health/ready").is_some());
            Ok((ready && self.devnet.is_up()).then_some(()))
        })
    }

    /// Stops API and workers in good order; the devnet goes on.
    pub(crate) fn stop(&mut self, children: &mut Children) -> Result<()> {
        children.end("api")?;
        children.end("worker-")?;
        self.workers.clear();
        Ok(())
    }

    /// Where our programs are.
    pub(crate) fn binaries(&self) -> &Path {
        &self.binaries
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
        let mut keys = Keys::default();
        for (name, value) in variables.filter(|(name, _)| name.starts_with("SWITCHYARD__")) {
            let whose = if name.ends_with("_PUBLIC_KEY") {
                &mut keys.shared
            } else if name.contains("__OPERATORS__") {
                &mut keys.api
            } else {
                &mut keys.workers
            };
            whose.push((name.to_owned(), value.to_owned()));
        }
        if [keys.shared.len(), keys.api.len(), keys.workers.len()] != [1, 1, 2] {
            bail!("`switchyard-worker keygen` printed something else than four keys");
        }
        Ok(keys)
    }

    fn start_devnet(&self, children: &mut Children, (node, admin): (u16, u16), flags: &[&str]) -> Result<()> {
        let mut devnet = self.program("switchyard-devnet");
        devnet
            .args([
                format!("--listen=127.0.0.1:{node}"),
                format!("--admin-listen=127.0.0.1:{admin}"),
            ])
            .args(flags);
        children.start("devnet", &mut devnet)
    }

    /// What the API and the workers share; nothing in it is for signing.
    fn shared_environment(&self, services: &Services, plan: &Plan<'_>) -> Vec<(String, String)> {
        let (node, rate) = (&self.devnet.node.base, plan.requests_per_second);
        let endpoints = format!("[{{name=\"node\",url=\"{node}\",requests_per_second={rate},timeout_ms=5000}}]");
        let set = |(name, value): (&str, &str)| (format!("SWITCHYARD__{name}"), value.to_owned());
        let of_this_run = [
            ("REDIS__URL", services.redis_url.as_str()),
            ("NETWORKS__TRON__ENDPOINTS", &endpoints),
        ];
        plan.settings.iter().copied().chain(of_this_run).map(set).collect()
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
#[derive(Default)]
struct Keys {
    /// For the API and the workers.
    shared: Vec<(String, String)>,
    /// For the API only.
    api: Vec<(String, String)>,
    /// For workers only.
    workers: Vec<(String, String)>,
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
