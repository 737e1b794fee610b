//! What the document says of the values of requests beyond their type: which words, patterns and bounds they have to keep to.
//!
//! One list by the names of schemas, fields and parameters. Words are taken from the types that read them, so that none is
//! missing here. What PostgreSQL and the chain know, and what settings bound, is told by problems and not here.

use access::{Permission, Scope};
use db::models::{
    Action, ApprovalKind, ApprovalState, DeliveryState, DepositState, DepositWay, EventType, ExchangeCause,
    ExchangeState, OrderState, PayoutState, RentalState, Severity, StakeResource, StakingAction, StakingState,
    StandingState, SweepState, TransferKind, TransferState, WalletPurpose, WalletState,
};
use domain::operations::{ORDERS_AT_ONCE, SWITCHES, StuckKind};
use domain::orders::{BATCH_KEY_MAX, BATCH_MAX};
use jobs::Queue;
use jobs::operate::Standing;
use kernel::Asset;
use utoipa::Number;
use utoipa::openapi::path::{Operation, Parameter, ParameterIn};
use utoipa::openapi::schema::{Array, ArrayItems, Components, Object, Schema, SchemaFormat};
use utoipa::openapi::{KnownFormat, RefOr};

use crate::extract::WORDS_MAX;
use crate::routes::prices::publish::BANDS_MAX;
use crate::routes::supplier_wallets::list::PURPOSES;

/// How a value has to look.
#[derive(Debug, Clone)]
enum Form {
    /// One of these.
    Words(Vec<&'static str>),
    /// One of these, or several with commas between.
    Several(Vec<&'static str>),
    /// A decimal number with at most 6 decimals.
    Amount,
    /// A TRON address in base58, which has a checksum as well.
    Address,
    /// 64 hex digits.
    TxId,
    /// A UUID.
    Id,
    /// A role's name.
    RoleName,
    /// So many digits.
    Digits(usize),
    /// 1 to so many visible ASCII characters.
    Visible(usize),
    /// 1 to so many characters, no control characters among them.
    Printable(usize),
    /// At most so many characters.
    UpTo(usize),
    /// A number of at least so much.
    From(isize),
    /// A number between these, both included.
    Between(isize, isize),
    /// A list of 1 to so many.
    Items(usize),
}

/// Adds the forms of fields of bodies.
pub(super) fn of_bodies(components: &mut Components) {
    for (schema, field, form) in own_fields().into_iter().chain(shared_fields()) {
        if let Some(found) = find(components, schema, field) {
            form.put(found);
        }
    }
}

/// Adds the forms of an operation's parameters.
pub(super) fn of_parameters(operation: &mut Operation) {
    let id = operation.operation_id.clone().unwrap_or_default();
    for parameter in operation.parameters.iter_mut().flatten() {
        if let (Some(form), Some(schema)) = (of_parameter(&id, parameter), parameter.schema.as_mut()) {
            form.put(schema);
        }
    }
}

fn find<'a>(components: &'a mut Components, schema: &str, field: &str) -> Option<&'a mut RefOr<Schema>> {
    match components.schemas.get_mut(schema)? {
        RefOr::T(Schema::Object(object)) => object.properties.get_mut(field),
        _ => None,
    }
}

fn words<T: Copy>(all: &[T], word: fn(T) -> &'static str) -> Form {
    Form::Words(all.iter().map(|one| word(*one)).collect())
}

fn several<T: Copy>(all: &[T], word: fn(T) -> &'static str) -> Form {
    Form::Several(all.iter().map(|one| word(*one)).collect())
}

fn assets() -> Form {
    words(&Asset::ALL, Asset::code)
}

/// A schema, a field of it, and how that has to look.
type Field = (&'static str, &'static str, Form);

fn own_fields() -> Vec<Field> {
    let sent = [DeliveryState::Failed, DeliveryState::Delivered];
    vec![
        ("CreateOrder", "user_id", Form::From(1)),
        ("CreateOrders", "orders", Form::Items(BATCH_MAX)),
        ("CreateStanding", "user_id", Form::From(1)),
        ("CreateStanding", "budget", Form::Amount),
        ("DepositUser", "txid", Form::TxId),
        ("CreateExchange", "from", words(&[Asset::Usdt], Asset::code)),
        ("CreateExchange", "to", words(&[Asset::Trx], Asset::code)),
        ("CreateExchange", "min_receive", Form::Amount),
        ("CreatePayout", "to", Form::Address),
        ("OpenDepositBody", "way", words(DepositWay::ALL, DepositWay::word)),
        ("AddSupplierWallets", "purpose", words(&PURPOSES, WalletPurpose::word)),
        ("AddSupplierWallets", "count", Form::Between(1, 100)),
        ("UpdateBalances", "ids", Form::Items(100)),
        ("UpdateBalances", "ids", Form::Id),
        ("ChooseJobs", "state", words(Standing::ALL, Standing::word)),
        ("ChooseStuck", "kind", words(StuckKind::ALL, StuckKind::word)),
        ("RuleDeposit", "user_id", Form::From(1)),
        ("PublishPrices", "bands", Form::Items(BANDS_MAX)),
        ("ChooseOrders", "orders", Form::Items(ORDERS_AT_ONCE)),
        ("ChooseOrders", "orders", Form::Id),
        ("NoteOrders", "orders", Form::Items(ORDERS_AT_ONCE)),
        ("NoteOrders", "orders", Form::Id),
        ("NoteOrders", "note", Form::Printable(500)),
        ("UpdateSettings", "base_version", Form::From(0)),
        ("RestoreSettings", "base_version", Form::From(0)),
        (
            "RequestStaking",
            "action",
            words(StakingAction::ALL, StakingAction::word),
        ),
        (
            "RequestStaking",
            "resource",
            words(StakeResource::ALL, StakeResource::word),
        ),
        ("CreateWebhook", "event_types", words(EventType::ALL, EventType::word)),
        ("UpdateWebhook", "event_types", words(EventType::ALL, EventType::word)),
        ("ResendDeliveries", "state", words(&sent, DeliveryState::word)),
        ("ResendDeliveries", "type", words(EventType::ALL, EventType::word)),
    ]
}

/// Fields of one form in several schemas.
fn shared_fields() -> Vec<Field> {
    let mut fields = Vec::new();
    let mut same = |schemas: &[&'static str], field, form: &Form| {
        fields.extend(schemas.iter().map(|schema| (*schema, field, form.clone())));
    };
    let paid = ["DepositUser", "AdjustBalance", "CreatePayout", "OpenDepositBody"];
    same(&paid, "asset", &assets());
    same(&paid, "amount", &Form::Amount);
    same(&["CreateExchange", "RequestStaking"], "amount", &Form::Amount);
    same(
        &["CreateOrder", "CreateStanding", "DepositOrderBody"],
        "receiver",
        &Form::Address,
    );
    let kept = ["AddPayoutAddress", "CreateUserWallet", "AddSupplierWallets"];
    same(&kept, "address", &Form::Address);
    same(&kept, "label", &Form::UpTo(100));
    same(
        &["AddSupplierWallets", "ReplaceSupplierWalletKey"],
        "index",
        &Form::Between(0, 0x7fff_ffff),
    );
    same(&["CreateOperator", "UpdateOperator"], "name", &Form::Printable(100));
    same(&["CreateKey"], "name", &Form::Printable(100));
    same(&["CreateKey"], "scopes", &words(Scope::ALL, Scope::word));
    let rate = Form::Between(1, 1_000_000);
    same(&["CreateKey", "SetKeyTerms"], "rate_limit_per_minute", &rate);
    same(&["CreateKey", "SetKeyTerms"], "daily_limit", &Form::Amount);
    same(&["RotateKey", "SignKey"], "overlap_hours", &Form::Between(0, 720));
    let point = words(Permission::ALL, Permission::word);
    same(&["SetRole"], "permissions", &point);
    same(&["SetRole"], "title", &Form::Printable(100));
    let code = Form::Digits(6);
    same(&["SignIn", "ConfirmTotp"], "totp_code", &code);
    same(&["CreateWebhook", "UpdateWebhook"], "description", &Form::UpTo(200));
    same(&["DepositUser", "AdjustBalance"], "reason", &Form::Printable(480));
    let by_hand = [
        "ResolveFinding",
        "ApprovePayout",
        "RejectPayout",
        "RuleDeposit",
        "RequestStaking",
        "ResetOperator",
        "BlockUser",
        "ThrowSwitch",
        "PauseQueue",
        "DecideApproval",
        "PublishPrices",
        "UpdateSettings",
        "RestoreSettings",
    ];
    same(&by_hand, "reason", &Form::Printable(500));
    let by_hand = [
        "ReplaceSupplierWalletKey",
        "ChooseOrders",
        "ChooseJobs",
        "ChooseStuck",
        "ResendDeliveries",
    ];
    same(&by_hand, "reason", &Form::Printable(500));
    fields
}

fn of_parameter(operation: &str, parameter: &Parameter) -> Option<Form> {
    match (parameter.name.as_str(), &parameter.parameter_in) {
        ("Idempotency-Key", _) if operation == "create_orders" => Some(Form::Visible(BATCH_KEY_MAX)),
        ("Idempotency-Key", _) => Some(Form::Visible(255)),
        ("user_id", ParameterIn::Path) | ("limit", _) => Some(Form::From(1)),
        ("queue", ParameterIn::Path) => Some(words(Queue::ALL, Queue::word)),
        ("name", ParameterIn::Path) if operation == "throw_switch" => Some(Form::Words(SWITCHES.to_vec())),
        ("name", ParameterIn::Path) => Some(Form::RoleName),
        ("version", ParameterIn::Path) => Some(Form::From(0)),
        ("address", ParameterIn::Path) => Some(Form::Address),
        ("txid", ParameterIn::Path) => Some(Form::TxId),
        ("txid", _) if !["list_deposits", "export_deposits"].contains(&operation) => Some(Form::TxId),
        ("order", _) => Some(Form::Words(vec!["newest", "oldest"])),
        ("min_price" | "max_price" | "min_amount" | "max_amount" | "min_balance" | "max_balance", _) => {
            Some(Form::Amount)
        }
        ("state", _) => state(operation),
        ("kind", _) if operation == "list_approvals" => Some(words(ApprovalKind::ALL, ApprovalKind::word)),
        ("kind", _) if operation == "list_stuck" => Some(words(StuckKind::ALL, StuckKind::word)),
        ("action", _) if operation == "list_stakings" => Some(words(StakingAction::ALL, StakingAction::word)),
        ("action", _) if operation == "list_actions" => Some(words(Action::ALL, Action::word)),
        ("severity", _) => Some(words(Severity::ALL, Severity::word)),
        ("asset", _) => Some(assets()),
        ("purpose", _) => Some(several(&PURPOSES, WalletPurpose::word)),
        ("way", _) => Some(words(DepositWay::ALL, DepositWay::word)),
        ("cause", _) => Some(words(ExchangeCause::ALL, ExchangeCause::word)),
        ("case", _) => Some(words(TransferKind::ALL, TransferKind::word)),
        ("type", _) if operation == "list_webhook_deliveries" => Some(several(EventType::ALL, EventType::word)),
        ("type", _) => Some(words(EventType::ALL, EventType::word)),
        _ => None,
    }
}

/// The states that a list is narrowed to.
fn state(operation: &str) -> Option<Form> {
    Some(match operation {
        "list_approvals" => several(ApprovalState::ALL, ApprovalState::word),
        "list_orders" | "export_orders" => several(OrderState::ALL, OrderState::word),
        "list_standing_orders" => several(StandingState::ALL, StandingState::word),
        "list_payouts" | "list_user_payouts" | "export_payouts" => several(PayoutState::ALL, PayoutState::word),
        "list_user_deposits" => several(DepositState::ALL, DepositState::word),
        "list_user_exchanges" => several(ExchangeState::ALL, ExchangeState::word),
        "list_deposits" | "export_deposits" => several(TransferState::ALL, TransferState::word),
        "list_findings" => Form::Words(vec!["open", "resolved", "all"]),
        "list_jobs" => words(Standing::ALL, Standing::word),
        "list_supplier_wallets" => several(WalletState::ALL, WalletState::word),
        "list_rentals" => several(RentalState::ALL, RentalState::word),
        "list_stakings" => several(StakingState::ALL, StakingState::word),
        "list_sweeps" => several(SweepState::ALL, SweepState::word),
        "list_webhook_deliveries" => several(DeliveryState::ALL, DeliveryState::word),
        _ => return None,
    })
}

fn any_of(words: &[&str]) -> String {
    words.join("|").replace('.', "\\.")
}

impl Form {
    fn put(&self, schema: &mut RefOr<Schema>) {
        match schema {
            RefOr::T(Schema::Object(object)) => self.put_on(object),
            RefOr::T(Schema::Array(array)) => self.put_on_list(array),
            _ => {}
        }
    }

    fn put_on_list(&self, array: &mut Array) {
        if let Self::Items(most) = self {
            (array.min_items, array.max_items) = (Some(1), Some(*most));
        } else if let ArrayItems::RefOrSchema(items) = &mut array.items {
            self.put(items);
        }
    }

    fn put_on(&self, object: &mut Object) {
        match self {
            Self::Words(words) => object.pattern = Some(format!("^({})$", any_of(words))),
            Self::Several(words) => {
                let (one, more) = (any_of(words), WORDS_MAX - 1);
                object.pattern = Some(format!("^({one})(,({one})){{0,{more}}}$"));
            }
            Self::Amount => object.pattern = Some("^[0-9]+(\\.[0-9]{1,6})?$".to_owned()),
            Self::Address => {
                object.pattern = Some("^T[1-9A-HJ-NP-Za-km-z]{33}$".to_owned());
                object.format = Some(SchemaFormat::Custom("tron-address".to_owned()));
            }
            Self::Digits(count) => object.pattern = Some(format!("^[0-9]{{{count}}}$")),
            Self::RoleName => object.pattern = Some("^[a-z][a-z0-9_]{2,49}$".to_owned()),
            Self::TxId => object.pattern = Some("^[0-9A-Fa-f]{64}$".to_owned()),
            Self::Id => object.format = Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)),
            Self::Visible(most) => object.pattern = Some(format!("^[!-~]{{1,{most}}}$")),
            Self::Printable(most) => {
                object.pattern = Some("^[^\\u0000-\\u001f\\u007f-\\u009f]+$".to_owned());
                (object.min_length, object.max_length) = (Some(1), Some(*most));
            }
            Self::UpTo(most) => object.max_length = Some(*most),
            Self::From(least) => object.minimum = Some(Number::Int(*least)),
            Self::Between(least, most) => {
                (object.minimum, object.maximum) = (Some(Number::Int(*least)), Some(Number::Int(*most)));
            }
            Self::Items(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_that_of_a_field() {
        let mut document = crate::openapi();
        let components = document.components.as_mut().unwrap();
        for (schema, field, _) in own_fields().into_iter().chain(shared_fields()) {
            assert!(find(components, schema, field).is_some(), "{schema}.{field}");
        }
    }

    #[test]
    fn forms_are_said() {
        let document = serde_json::to_value(crate::openapi()).unwrap();
        let field = |path: &str| {
            document
                .pointer(&format!("/components/schemas/{path}"))
                .unwrap()
                .clone()
        };
        assert_eq!(field("AdjustBalance/properties/asset/pattern"), "^(TRX|USDT)$");
        assert_eq!(field("CreateOrder/properties/receiver/format"), "tron-address");
        assert_eq!(field("CreateOrders/properties/orders/maxItems"), 100);
        assert_eq!(field("UpdateBalances/properties/ids/items/format"), "uuid");
        let events = field("CreateWebhook/properties/event_types/items/pattern");
        assert!(events.as_str().unwrap().contains(r"|order\.completed|"), "{events}");
        let parameters = document["paths"]["/api/orders"]["get"]["parameters"]
            .as_array()
            .unwrap();
        let of = |name: &str| parameters.iter().find(|one| one["name"] == name).unwrap()["schema"].clone();
        assert_eq!(of("limit")["minimum"], 1);
        assert!(of("state")["pattern"].as_str().unwrap().starts_with("^(pending|"));
        assert!(of("state")["pattern"].as_str().unwrap().ends_with("|refunded)){0,19}$"));
    }
}
