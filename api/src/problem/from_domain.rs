//! Errors of the use cases as problems: the field that is to blame, and nothing of ours.

use domain::DomainError;
use domain::runtime_settings::Refusal;

use super::{Code, FieldError, Problem, chain};

/// A longer name of a setting is cut.
const MAX_NAME_SHOWN: usize = 100;

impl From<DomainError> for Problem {
    fn from(error: DomainError) -> Self {
        let mut problem = Self::new(Code::of_domain(&error));
        if problem.code.status().is_server_error() {
            problem.cause = Some(chain(&error));
            return problem;
        }
        let said = error.to_string();
        let pointer = match &error {
            DomainError::EnergyOutOfRange { .. } => "#/energy",
            DomainError::DurationOutOfRange { .. } => "#/duration_s",
            DomainError::ReceiverIsSupplier => "#/receiver",
            DomainError::AddressNeedsPermission => "#/address",
            DomainError::AssetNotPaid | DomainError::DepositOrderAsset => "#/asset",
            DomainError::PayoutTooSmall { .. } => "#/amount",
            DomainError::PayoutToOurs => "#/to",
            DomainError::UserNeeded => "#/user_id",
            DomainError::DepositWayClosed => "#/way",
            DomainError::DepositAmount { .. } | DomainError::ExchangeAmount(_) => "#/amount",
            DomainError::BadReason => "#/reason",
            DomainError::BadPriceTable(_) => "#/bands",
            DomainError::WebhookUrl(_) => "#/url",
            DomainError::BadStanding => "#/state",
            DomainError::Ledger(ledger::LedgerError::ZeroAmount) => "#/amount",
            DomainError::Ledger(ledger::LedgerError::BadText { .. }) => "#/reason",
            DomainError::SettingsRefused(refusals) => {
                problem.errors = refusals.iter().map(of_setting).collect();
                return problem;
            }
            DomainError::Ledger(_) => return problem,
            _ => return problem.with_detail(said),
        };
        let code = problem.code;
        Self::field(code, pointer, code.word(), said)
    }
}

/// Numbers of settings are no secrets, so what is wrong with one may be said in full.
fn of_setting(refusal: &Refusal) -> FieldError {
    let name: String = refusal.name.chars().take(MAX_NAME_SHOWN).collect();
    let (pointer, detail) = if refusal.asked {
        let name = name.replace('~', "~0").replace('/', "~1");
        (format!("#/changes/{name}"), refusal.why.clone())
    } else {
        ("#".to_owned(), format!("{name}: {}", refusal.why))
    };
    FieldError {
        pointer,
        code: "invalid_value",
        detail,
    }
}

impl From<db::DbError> for Problem {
    fn from(error: db::DbError) -> Self {
        DomainError::from(error).into()
    }
}
