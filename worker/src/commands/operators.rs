//! `operators`: makes the first people who sign in, and helps those who cannot any more.

use access::BuiltInRole;
use anyhow::bail;
use chrono::{DateTime, Utc};
use db::models::Operator;
use db::{Pool, acquire};
use domain::operators::{self, By, Change, Made, NewOperator, Reset};
use kernel::RandomIds;
use settings::Settings;
use uuid::Uuid;

use super::{operator, print, setup};

/// Operators listed at a time.
const PAGE: i64 = 200;

/// What to do with operators.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Make an operator and print the password for the first sign-in; it is shown this once
    Create {
        /// What he signs in with
        #[arg(long)]
        email: String,
        /// What he is called
        #[arg(long)]
        name: String,
        /// What he may do: `super_admin` for everything; `operators roles` lists them
        #[arg(long, value_delimiter = ',', required = true)]
        roles: Vec<String>,
    },
    /// List operators, the first that was made first
    List,
    /// List the roles of the house, and what each gives
    Roles,
    /// Set all that an operator is to have
    SetRoles {
        /// His e-mail address
        email: String,
        /// The roles
        #[arg(long, value_delimiter = ',', required = true)]
        roles: Vec<String>,
    },
    /// Give an operator a new password and print it; his sessions end
    ResetPassword {
        /// His e-mail address
        email: String,
    },
    /// Have an operator set up another second factor at his next sign-in; his sessions end
    ResetTotp {
        /// His e-mail address
        email: String,
    },
    /// Let an operator try again at once who was wrong too often
    Unlock {
        /// His e-mail address
        email: String,
    },
    /// Let an operator sign in no more; his sessions end
    Disable {
        /// His e-mail address
        email: String,
    },
    /// Let an operator sign in again
    Enable {
        /// His e-mail address
        email: String,
    },
}

pub(super) async fn run(settings: &Settings, command: Command) -> anyhow::Result<()> {
    let pool = setup::pool(settings)?;
    let (by, now) = (By::command(&operator()), setup::now(&pool).await?);
    match command {
        Command::Create { email, name, roles } => {
            let new = NewOperator {
                email: &email,
                name: &name,
                roles: &roles,
            };
            show(&operators::create(&pool, &RandomIds, &by, (new, None), now).await?);
        }
        Command::List => list(&pool, now).await?,
        Command::Roles => {
            for role in BuiltInRole::ALL {
                print(&format!("{}  {} · {}", role.name(), role.title(), role.title_zh()));
                print(&format!("    {}", role.permissions().words().join(" ")));
            }
        }
        Command::SetRoles { email, roles } => {
            let wanted = Change {
                roles: Some(&roles),
                ..Change::default()
            };
            set((&pool, &by), &email, wanted, now).await?;
        }
        Command::ResetPassword { email } => {
            let what = (id(&pool, &email).await?, Reset::Password, None);
            show(&operators::reset(&pool, &RandomIds, &by, what, now).await?);
        }
        Command::ResetTotp { email } => {
            let what = (id(&pool, &email).await?, Reset::SecondFactor, None);
            operators::reset(&pool, &RandomIds, &by, what, now).await?;
            print("reset: he sets up another second factor at his next sign-in");
        }
        Command::Unlock { email } => {
            operators::unlock(&pool, &by, id(&pool, &email).await?).await?;
            print("unlocked");
        }
        Command::Disable { email } => enable((&pool, &by), &email, false, now).await?,
        Command::Enable { email } => enable((&pool, &by), &email, true, now).await?,
    }
    Ok(())
}

async fn enable(from: (&Pool, &By), email: &str, enabled: bool, now: DateTime<Utc>) -> anyhow::Result<()> {
    let wanted = Change {
        enabled: Some(enabled),
        ..Change::default()
    };
    set(from, email, wanted, now).await
}

async fn set((pool, by): (&Pool, &By), email: &str, wanted: Change<'_>, now: DateTime<Utc>) -> anyhow::Result<()> {
    let operator = operators::change(pool, by, id(pool, email).await?, wanted, now).await?;
    print(&line(&operator, now));
    Ok(())
}

async fn id(pool: &Pool, email: &str) -> anyhow::Result<Uuid> {
    let email = email.trim().to_lowercase();
    let Some(operator) = Operator::find_by_email(&mut *acquire(pool).await?, &email).await? else {
        bail!("no operator signs in with {email}; `operators list` shows who does");
    };
    Ok(operator.id)
}

async fn list(pool: &Pool, now: DateTime<Utc>) -> anyhow::Result<()> {
    let mut after = None;
    loop {
        let page = operators::list(pool, after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        for operator in &page {
            print(&line(operator, now));
        }
    }
    Ok(())
}

fn line(operator: &Operator, now: DateTime<Utc>) -> String {
    let standing = if operator.disabled_at.is_some() {
        "disabled"
    } else if operator.locked_until.is_some_and(|until| now < until) {
        "locked"
    } else if operator.must_change_password || operator.totp_sealed.is_none() {
        "not set up yet"
    } else {
        "enabled"
    };
    let seen = operator
        .last_sign_in_at
        .map_or_else(|| "never signed in".to_owned(), |at| format!("signed in {at}"));
    let (id, email, name, roles) = (operator.id, &operator.email, &operator.name, operator.roles.join(","));
    format!("{id}  {email}  {name}  [{roles}]  {standing}  {seen}")
}

fn show(made: &Made) {
    if let Some(password) = &made.password {
        print(&format!("operator {} ({})", made.operator.email, made.operator.id));
        print(&format!("password {}", password.as_str()));
        print(
            "\nIt is shown this once and has to be changed at the first sign-in, where a second factor is set up as well.",
        );
    }
}
