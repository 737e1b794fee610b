//! Settings that operators change while everything runs: which there are, within what bounds, and how a version's values lie over
//! the configuration. Where versions are kept, and who makes them, is not known here.

mod table;

use kernel::Amount;
use serde_json::{Map, Value};

pub use self::table::RuntimeSettings;
use crate::{Problem, Problems, Role, Settings, SettingsError};

/// The values of one version, by the names of their settings. What is not among them is as the configuration says.
pub type RuntimeValues = Map<String, Value>;

/// One setting that can be changed while everything runs.
#[derive(Debug)]
pub struct RuntimeSetting {
    /// Its key in the configuration: `orders.energy_max`.
    pub name: &'static str,
    /// What its number counts.
    pub unit: RuntimeUnit,
    /// How it is written.
    pub kind: RuntimeKind,
    /// The least that it may be: a number, or minor units of an amount. Others may narrow it further.
    pub min: i64,
    /// The most.
    pub max: i64,
    /// What it is, in English.
    pub title: &'static str,
    /// What it is, in Chinese.
    pub title_zh: &'static str,
    of: fn(&Settings) -> Value,
    reads: fn(&Value) -> Option<i64>,
}

/// What a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RuntimeUnit {
    /// Energy.
    Energy,
    /// Time.
    Seconds,
    /// Wallets.
    Wallets,
    /// A share.
    BasisPoints,
    /// Bandwidth.
    BandwidthPoints,
    /// How often.
    RequestsPerMinute,
    /// The coin.
    Trx,
    /// The token.
    Usdt,
}

impl RuntimeUnit {
    /// Its words in English and in Chinese.
    #[must_use]
    pub const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Energy => ("energy", "能量"),
            Self::Seconds => ("seconds", "秒"),
            Self::Wallets => ("wallets", "个钱包"),
            Self::BasisPoints => ("1/100 %", "万分之一"),
            Self::BandwidthPoints => ("bandwidth points", "带宽点"),
            Self::RequestsPerMinute => ("requests per minute", "次/分钟"),
            Self::Trx => ("TRX", "TRX"),
            Self::Usdt => ("USDT", "USDT"),
        }
    }
}

/// How a value is written in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RuntimeKind {
    /// A whole number.
    Integer,
    /// A decimal string.
    Amount,
}

impl RuntimeKind {
    /// Its word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Integer => "integer",
            Self::Amount => "amount",
        }
    }

    /// A bound, written as values are.
    #[must_use]
    pub fn written(self, bound: i64) -> Value {
        match self {
            Self::Integer => Value::from(bound),
            Self::Amount => Value::from(Amount::from_minor(bound).unwrap_or_default().to_string()),
        }
    }
}

impl RuntimeSetting {
    /// The one with this name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<&'static Self> {
        Self::ALL.iter().find(|setting| setting.name == name)
    }

    /// What it is in a configuration.
    #[must_use]
    pub fn value(&self, settings: &Settings) -> Value {
        (self.of)(settings)
    }

    /// What stands against a value by itself.
    fn against(&self, value: &Value) -> Option<Problem> {
        let wrong = match (self.reads)(value) {
            Some(read) if (self.min..=self.max).contains(&read) => return None,
            Some(_) => "is out of bounds",
            None => "is not of this setting's kind",
        };
        let (min, max) = (self.kind.written(self.min), self.kind.written(self.max));
        let kind = match self.kind {
            RuntimeKind::Integer => "a whole number",
            RuntimeKind::Amount => "an amount, as text with at most 6 decimals,",
        };
        Some(Problem {
            key: self.name.to_owned(),
            wrong: wrong.to_owned(),
            remedy: format!("use {kind} from {min} to {max}"),
        })
    }
}

impl RuntimeSettings {
    /// Reads a version's values, each by itself.
    ///
    /// # Errors
    /// [`SettingsError::Invalid`] with each that is unknown, of another kind or out of bounds.
    pub fn read(values: &RuntimeValues) -> Result<Self, SettingsError> {
        let problems: Vec<Problem> = values
            .iter()
            .filter_map(|(name, value)| match RuntimeSetting::of_name(name) {
                Some(setting) => setting.against(value),
                None => Some(Problem {
                    key: name.clone(),
                    wrong: "is no setting that can be changed while everything runs".to_owned(),
                    remedy: "see GET /api/settings".to_owned(),
                }),
            })
            .collect();
        if !problems.is_empty() {
            return Err(SettingsError::Invalid(Problems(problems)));
        }
        serde_json::from_value(Value::Object(values.clone()))
            .map_err(|error| crate::layers::value_error("settings", &error.to_string()))
    }

    /// Its values as they are kept: each written in one way, so that equal ones are alike.
    #[must_use]
    pub fn values(&self) -> RuntimeValues {
        match serde_json::to_value(self) {
            Ok(Value::Object(values)) => values,
            // a struct of numbers and texts is an object
            _ => RuntimeValues::new(),
        }
    }

    /// Reads and checks a version's values over a configuration; answers them as they are kept.
    ///
    /// # Errors
    /// Each key that something stands against, with what is wrong and what to do.
    pub fn judge(values: &RuntimeValues, base: &Settings, role: Role) -> Result<RuntimeValues, Vec<(String, String)>> {
        let judged = Self::read(values).and_then(|read| read.in_force(base, role).map(|_| read.values()));
        judged.map_err(|error| match error {
            SettingsError::Invalid(Problems(problems)) => {
                let each = problems.into_iter();
                each.map(|problem| (problem.key, format!("{}; {}", problem.wrong, problem.remedy)))
                    .collect()
            }
            other => vec![("settings".to_owned(), other.to_string())],
        })
    }

    /// The configuration with these values over it, where a process of this role can work with the whole.
    ///
    /// # Errors
    /// [`SettingsError::Invalid`] with every problem, as at a start.
    pub fn in_force(&self, base: &Settings, role: Role) -> Result<Settings, SettingsError> {
        let merged = self.over(base);
        merged.validate(role)?;
        Ok(merged)
    }
}

/// How each type of value is read and written.
trait Written: Copy {
    const KIND: RuntimeKind;

    /// In JSON.
    fn json(self) -> Value;

    /// As a number.
    fn number(self) -> i64;
}

impl Written for i64 {
    const KIND: RuntimeKind = RuntimeKind::Integer;

    fn json(self) -> Value {
        Value::from(self)
    }

    fn number(self) -> i64 {
        self
    }
}

impl Written for u32 {
    const KIND: RuntimeKind = RuntimeKind::Integer;

    fn json(self) -> Value {
        Value::from(self)
    }

    fn number(self) -> i64 {
        i64::from(self)
    }
}

impl Written for Amount {
    const KIND: RuntimeKind = RuntimeKind::Amount;

    fn json(self) -> Value {
        Value::from(self.to_string())
    }

    fn number(self) -> i64 {
        self.minor()
    }
}

#[cfg(test)]
mod tests;
