//! What an operator can tell `switchyard-worker` to do. Each command reads the same settings as the worker itself.

mod actions;
mod api_keys;
mod audit;
mod by_hand;
mod chain;
mod delegations;
mod deposit_keys;
mod deposits;
mod findings;
mod jobs;
mod key_powers;
mod keys;
mod new_keys;
mod operators;
mod payouts;
mod prices;
mod rates;
mod rentals;
mod report;
mod run;
mod runtime;
mod setup;
mod stake;
mod stuck;
mod sweeps;
mod switches;
mod trail;
mod users;
mod wallets;
mod webhooks;
mod words;

use std::process::ExitCode;

use clap::Subcommand;
use db::trail::{Act, Actor, acting};
use settings::{Role, Settings};

/// One command.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run jobs, schedules and watchers until told to stop (the default)
    Run {
        /// Serve only these queues, e.g. `orders,chain`; default: the setting worker.queues
        #[arg(long, value_delimiter = ',')]
        queues: Vec<String>,
    },
    /// Bring the database schema up to date; run as the schema's owner
    Migrate,
    /// Print the effective configuration with secrets masked, and refuse what is unsafe
    CheckConfig,
    /// Make fresh secrets for a new installation and print them
    Keygen,
    /// Keys that bots and shops authenticate with
    #[command(subcommand)]
    ApiKey(api_keys::Command),
    /// People who sign in
    #[command(subcommand)]
    Operators(operators::Command),
    /// The price table
    #[command(subcommand)]
    Prices(prices::Command),
    /// What TRX a USDT is worth
    #[command(subcommand)]
    Rates(rates::Command),
    /// Supplier wallets
    #[command(subcommand)]
    Wallets(wallets::Command),
    /// Wrap every key anew under the current master key; can be repeated and goes on where it stopped
    RotateMasterKey,
    /// Networks
    #[command(subcommand)]
    Chain(chain::Command),
    /// What the chain did against our books
    #[command(subcommand)]
    Delegations(delegations::Command),
    /// What customers paid in on chain
    #[command(subcommand)]
    Deposits(deposits::Command),
    /// The account that deposit addresses derive from
    #[command(subcommand)]
    DepositKey(deposit_keys::Command),
    /// What is collected from deposit addresses
    #[command(subcommand)]
    Sweeps(sweeps::Command),
    /// Coin that was sent for energy
    #[command(subcommand)]
    Rentals(rentals::Command),
    /// Stake TRX of supplier wallets, or undo that
    #[command(subcommand)]
    Stake(stake::Command),
    /// Jobs: what waits, runs and stopped
    #[command(subcommand)]
    Jobs(jobs::Command),
    /// Objects that wait longer than they should
    #[command(subcommand)]
    Stuck(stuck::Command),
    /// Payouts: what is asked for, and who agrees
    #[command(subcommand)]
    Payouts(payouts::Command),
    /// What waits for an operator
    #[command(subcommand)]
    Findings(findings::Command),
    /// Compare the books with themselves and with the chain, or prove the audit trail; writes nothing
    Audit(audit::Args),
    /// What was done by hand, newest first
    Actions(actions::Arguments),
    /// What is changed while everything runs
    #[command(subcommand)]
    Settings(runtime::Command),
    /// Customers
    #[command(subcommand)]
    Users(users::Command),
    /// Endpoints that are told of events
    #[command(subcommand)]
    Webhooks(webhooks::Command),
    /// Stop or allow new orders; running ones finish
    #[command(subcommand)]
    Maintenance(switches::Command),
}

impl Command {
    /// The exit code where this command was stopped by an error.
    #[must_use]
    pub fn failure(&self) -> ExitCode {
        match self {
            Self::Audit(_) => ExitCode::from(audit::COULD_NOT_LOOK),
            _ => ExitCode::FAILURE,
        }
    }

    /// For the audit trail; a command that is told who gives it says it better.
    fn act(&self) -> Act {
        let name = operator();
        Act::new(Actor {
            principal: format!("operator:{name}"),
            name,
            address: None,
            request_id: None,
            action: format!("cli.{}", self.word()),
            target: None,
            at: setup::clock().now(),
        })
    }

    /// Its word on the command line.
    const fn word(&self) -> &'static str {
        match self {
            Self::Run { .. } => "run",
            Self::Migrate => "migrate",
            Self::CheckConfig => "check-config",
            Self::Keygen => "keygen",
            Self::ApiKey(_) => "api-key",
            Self::Operators(_) => "operators",
            Self::Prices(_) => "prices",
            Self::Rates(_) => "rates",
            Self::Wallets(_) => "wallets",
            Self::RotateMasterKey => "rotate-master-key",
            Self::Chain(_) => "chain",
            Self::Delegations(_) => "delegations",
            Self::Deposits(_) => "deposits",
            Self::DepositKey(_) => "deposit-key",
            Self::Sweeps(_) => "sweeps",
            Self::Rentals(_) => "rentals",
            Self::Stake(_) => "stake",
            Self::Jobs(_) => "jobs",
            Self::Stuck(_) => "stuck",
            Self::Payouts(_) => "payouts",
            Self::Findings(_) => "findings",
            Self::Audit(_) => "audit",
            Self::Actions(_) => "actions",
            Self::Settings(_) => "settings",
            Self::Users(_) => "users",
            Self::Webhooks(_) => "webhooks",
            Self::Maintenance(_) => "maintenance",
        }
    }
}

/// Who gives a command, as far as the machine knows.
fn operator() -> String {
    ["SWITCHYARD_OPERATOR", "USER", "LOGNAME"]
        .into_iter()
        .filter_map(|variable| std::env::var(variable).ok())
        .find(|name| !name.trim().is_empty())
        .unwrap_or_else(|| "unknown".to_owned())
}

/// Carries a command out, and answers the exit code.
///
/// # Errors
/// Whatever stopped it, for a person to read.
pub async fn dispatch(command: Command) -> anyhow::Result<ExitCode> {
    let Command::Audit(args) = command else {
        return carry_out(command).await.map(|()| ExitCode::SUCCESS);
    };
    let settings = Settings::load()?;
    settings.validate(Role::Worker)?;
    settings::telemetry::init(&settings.telemetry)?;
    audit::run(&settings, args).await
}

async fn carry_out(command: Command) -> anyhow::Result<()> {
    if matches!(command, Command::Keygen) {
        return keys::keygen();
    }
    let settings = Settings::load()?;
    match command {
        Command::Migrate => return migrate(&settings).await,
        Command::CheckConfig => return check_config(&settings),
        _ => settings.validate(Role::Worker)?,
    }
    settings::telemetry::init(&settings.telemetry)?;
    match command {
        Command::Run { queues } => run::run(settings, &queues).await,
        command => {
            let act = command.act();
            acting(&act, obey(&settings, command)).await
        }
    }
}

/// What an operator gives by hand; what it writes leaves lines in the audit trail.
async fn obey(settings: &Settings, command: Command) -> anyhow::Result<()> {
    match command {
        Command::ApiKey(command) => api_keys::run(settings, command).await,
        Command::Operators(command) => operators::run(settings, command).await,
        Command::Prices(command) => prices::run(settings, command).await,
        Command::Rates(command) => rates::run(&setup::merged(settings).await?, command).await,
        Command::Wallets(command) => wallets::run(settings, command).await,
        Command::RotateMasterKey => keys::rotate(settings).await,
        Command::Chain(command) => chain::run(settings, command).await,
        Command::Delegations(command) => delegations::run(settings, command).await,
        Command::Deposits(command) => deposits::run(&setup::merged(settings).await?, command).await,
        Command::DepositKey(command) => deposit_keys::run(settings, command).await,
        Command::Sweeps(command) => sweeps::run(&setup::merged(settings).await?, command).await,
        Command::Rentals(command) => rentals::run(&setup::merged(settings).await?, command).await,
        Command::Stake(command) => stake::run(settings, command).await,
        Command::Jobs(command) => jobs::run(settings, command).await,
        Command::Stuck(command) => stuck::run(settings, command).await,
        Command::Payouts(command) => payouts::run(settings, command).await,
        Command::Findings(command) => findings::run(settings, command).await,
        Command::Actions(arguments) => actions::run(settings, &arguments).await,
        Command::Settings(command) => runtime::run(settings, command).await,
        Command::Users(command) => users::run(settings, command).await,
        Command::Webhooks(command) => webhooks::run(settings, command).await,
        Command::Maintenance(command) => switches::run(settings, command).await,
        Command::Run { .. } | Command::Migrate | Command::CheckConfig | Command::Keygen | Command::Audit(_) => Ok(()),
    }
}

async fn migrate(settings: &Settings) -> anyhow::Result<()> {
    settings.validate(Role::Migrate)?;
    let applied = db::migrate(settings.database.url.expose()).await?;
    print(&format!("{applied} migrations applied"));
    Ok(())
}

fn check_config(settings: &Settings) -> anyhow::Result<()> {
    print(&settings.redacted()?);
    settings.validate(Role::Worker)?;
    print(&settings.verdict(Role::Worker));
    Ok(())
}

/// A line for the person who typed the command.
#[expect(clippy::print_stdout, reason = "an operator's command answers on stdout")]
fn print(line: &str) {
    println!("{line}");
}
