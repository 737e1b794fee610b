//! Which values may be used: every rule is tried, so that one start shows all that is wrong.

mod addresses;
mod approvals;
mod events;
mod keys;
mod payouts;
mod ranges;
mod rates;
mod rental;
mod stake;
mod sweep;
mod tls;

use std::fmt::Display;

use crate::{Problem, Problems, Settings, SettingsError};

/// Which process the configuration is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The HTTP API: must not hold what opens or signs.
    Api,
    /// A worker: holds the keys.
    Worker,
    /// The one-shot migration: needs the database alone.
    Migrate,
}

impl Role {
    const fn in_words(self) -> &'static str {
        match self {
            Self::Api => "an API",
            Self::Worker => "a worker",
            Self::Migrate => "a migration",
        }
    }
}

impl Settings {
    /// Checks that a process of this role can work with these values, and safely so.
    ///
    /// # Errors
    /// [`SettingsError::Invalid`] with every problem: its key, what is wrong, what to do.
    pub fn validate(&self, role: Role) -> Result<(), SettingsError> {
        let mut check = Check {
            production: !self.is_development(),
            problems: Vec::new(),
        };
        addresses::database(self, &mut check);
        ranges::database(self, &mut check);
        if role != Role::Migrate {
            addresses::check(self, role, &mut check);
            keys::check(self, role, &mut check);
            ranges::check(self, &mut check);
            payouts::check(self, &mut check);
            approvals::check(self, &mut check);
            events::check(self, &mut check);
            rates::check(self, &mut check);
            rental::check(self, &mut check);
            stake::check(self, &mut check);
            sweep::check(self, &mut check);
            tls::check(self, &mut check);
        }
        if check.problems.is_empty() {
            Ok(())
        } else {
            Err(SettingsError::Invalid(Problems(check.problems)))
        }
    }

    /// What may be said of a configuration that [`Self::validate`] took, as a comment below it: which environment it is for,
    /// and that it is safe only where production's rules were asked.
    #[must_use]
    pub fn verdict(&self, role: Role) -> String {
        let (environment, role) = (&self.environment, role.in_words());
        if self.is_development() {
            return format!(
                "# environment {environment}: this configuration can run {role} for development; what production refuses was \
                 not looked for"
            );
        }
        format!("# environment {environment}: this configuration is safe to run {role} with")
    }
}

/// Gathers problems.
struct Check {
    /// Whether production's rules hold.
    production: bool,
    problems: Vec<Problem>,
}

impl Check {
    fn problem(&mut self, key: impl Into<String>, wrong: impl Into<String>, remedy: impl Into<String>) {
        self.problems.push(Problem {
            key: key.into(),
            wrong: wrong.into(),
            remedy: remedy.into(),
        });
    }

    fn require(&mut self, ok: bool, key: impl Into<String>, wrong: impl Into<String>, remedy: impl Into<String>) {
        if !ok {
            self.problem(key, wrong, remedy);
        }
    }

    fn range<T: PartialOrd + Display>(&mut self, key: impl Into<String>, value: T, min: T, max: T) {
        if value < min || value > max {
            self.problem(key, format!("is {value}"), format!("use a number from {min} to {max}"));
        }
    }
}

#[cfg(test)]
mod tests;
