//! The one list of routes: each with the permission that it needs and the problems it may answer. A route
//! without a permission does not compile.

mod answers;

use std::sync::Arc;

use access::Permission;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state, map_response};
use axum::response::Response;
use axum::routing::{MethodRouter, get};
use utoipa::OpenApi;
use utoipa::openapi::path::ParameterIn;
use utoipa::openapi::{HttpMethod, OpenApi as OpenApiDocument};

pub(crate) use self::answers::EVERYWHERE;
use self::answers::{
    ACCEPT, ADJUST, ANNOUNCE, BODY, BY_HAND, DECIDE, DOOR, EXCHANGE, EXTEND, FOUND, MARKED, PAYOUT, QUOTE, QUOTED,
    WAITS,
};
use crate::console::console;
use crate::middleware::{Guarded, Needs, Plain, bounds, browsers, guard, no_query, observe, unchanged};
use crate::openapi::{openapi, operation};
use crate::problem::Code;
use crate::routes::{
    approvals, auth, deposits, events, exchanges, keys, operations, operators, orders, payouts, pool, prices, quotes,
    rates, rentals, roles, settings, standing_orders, supplier_wallets, user_wallets, users, webhooks,
};
use crate::{App, health};

/// One route.
pub(crate) struct Route {
    pub(crate) method: HttpMethod,
    pub(crate) path: &'static str,
    pub(crate) needs: Needs,
    /// The handler's name.
    pub(crate) action: &'static str,
    /// What it may answer besides [`EVERYWHERE`].
    pub(crate) codes: Vec<Code>,
    handler: MethodRouter<Arc<App>>,
}

macro_rules! needs {
    (Nothing) => {
        Needs::Nothing
    };
    ($permission:ident) => {
        Needs::Point(Permission::$permission)
    };
}

macro_rules! routes {
    ($($needs:ident $method:ident $verb:ident $path:literal $group:ident::$file:ident::$handler:ident [$($codes:expr),*];)+) => {
        /// The handlers' own descriptions.
        #[derive(OpenApi)]
        #[openapi(paths($($group::$file::$handler),+), components(schemas(crate::problem::ProblemView)))]
        pub(crate) struct Described;

        /// Every route of the API.
        pub(crate) fn routes() -> Vec<Route> {
            vec![$(Route {
                method: HttpMethod::$verb,
                path: $path,
                needs: needs!($needs),
                action: stringify!($handler),
                codes: { let codes: &[&[Code]] = &[$($codes),*]; codes.concat() },
                handler: axum::routing::$method($group::$file::$handler),
            }),+]
        }
    };
}

routes! {
    OrdersWrite post Post "/api/orders" orders::create::create_order [BODY, MARKED, ACCEPT, QUOTED];
    OrdersWrite post Post "/api/orders/batch" orders::create_batch::create_orders [BODY, MARKED, ACCEPT, QUOTED];
    OrdersRead get Get "/api/orders" orders::list::list_orders [];
    OrdersExport get Get "/api/orders.csv" orders::export::export_orders [];
    OrdersRead get Get "/api/orders/{id}" orders::get::get_order [FOUND];
    OrdersWrite post Post "/api/orders/{id}/cancel" orders::cancel::cancel_order [FOUND, &[Code::OrderNotCancellable]];
    OrdersWrite post Post "/api/orders/{id}/extend" orders::extend::extend_order [BODY, MARKED, EXTEND];
    OrdersWrite post Post "/api/standing-orders" standing_orders::create::create_standing_order
        [BODY, MARKED, ACCEPT, &[Code::BadText, Code::Conflict]];
    OrdersRead get Get "/api/standing-orders" standing_orders::list::list_standing_orders [];
    OrdersRead get Get "/api/standing-orders/{id}" standing_orders::get::get_standing_order [FOUND];
    OrdersWrite post Post "/api/standing-orders/{id}/stop" standing_orders::stop::stop_standing_order [FOUND];
    PricingRead get Get "/api/prices" prices::get::get_prices [FOUND];
    PricingWrite post Post "/api/prices" prices::publish::publish_prices
        [BODY, MARKED, BY_HAND, WAITS, &[Code::BadPriceTable, Code::Conflict]];
    PoolRead get Get "/api/pool" pool::get::get_pool [];
    QuotesWrite post Post "/api/quotes" quotes::create::create_quote [BODY, MARKED, QUOTE];
    BalancesRead get Get "/api/users/{user_id}/balance" users::balance::get_user_balance [];
    BalancesWrite post Post "/api/users/{user_id}/deposit" users::deposit::deposit_user_balance
        [BODY, MARKED, ADJUST, WAITS, &[Code::NotFound, Code::BalanceTooLarge]];
    BalancesWrite post Post "/api/users/{user_id}/deduct" users::deduct::deduct_user_balance
        [BODY, MARKED, ADJUST, WAITS, &[Code::InsufficientFunds]];
    BalancesWrite post Post "/api/users/{user_id}/refund" users::refund::refund_user_balance
        [BODY, MARKED, ADJUST, WAITS, &[Code::BalanceTooLarge]];
    PayoutsWrite post Post "/api/users/{user_id}/payouts" payouts::create::create_payout [BODY, MARKED, PAYOUT];
    PayoutsRead get Get "/api/users/{user_id}/payouts" payouts::list::list_user_payouts [];
    PayoutsRead get Get "/api/payouts/{id}" payouts::get::get_payout [FOUND];
    PayoutsRead get Get "/api/users/{user_id}/payout-addresses" payouts::list_addresses::list_payout_addresses [];
    UsersWrite post Post "/api/users/{user_id}/payout-addresses" payouts::add_address::add_payout_address
        [BODY, &[Code::BadText]];
    UsersWrite delete Delete "/api/users/{user_id}/payout-addresses/{address}"
        payouts::delete_address::delete_payout_address [FOUND];
    DepositsWrite post Post "/api/users/{user_id}/deposits" deposits::open::open_deposit
        [BODY, MARKED, ANNOUNCE];
    DepositsRead get Get "/api/users/{user_id}/deposits" deposits::list::list_user_deposits [];
    DepositsRead get Get "/api/deposits/{id}" deposits::get::get_deposit [FOUND];
    RatesRead get Get "/api/rates" rates::get::get_rates [];
    PricingRead get Get "/api/rentals/packages" rentals::packages::list_packages [];
    DepositsRead get Get "/api/rentals/{txid}" rentals::get::get_rentals [FOUND];
    ExchangesWrite post Post "/api/users/{user_id}/exchange" exchanges::create::create_exchange [BODY, MARKED, EXCHANGE];
    ExchangesRead get Get "/api/users/{user_id}/exchanges" exchanges::list::list_user_exchanges [];
    ExchangesRead get Get "/api/exchanges/{id}" exchanges::get::get_exchange [FOUND];
    UsersRead get Get "/api/users" users::list::list_users [];
    UsersRead get Get "/api/users/{user_id}" users::get::get_user [FOUND];
    UsersBlock post Post "/api/users/{user_id}/block" users::block::block_user [BODY, FOUND, BY_HAND];
    UsersBlock post Post "/api/users/{user_id}/unblock" users::unblock::unblock_user [FOUND];
    BalancesRead get Get "/api/users/{user_id}/statement" users::statement::get_user_statement [];
    UsersExport get Get "/api/users/{user_id}/statement.csv" users::statement_csv::export_user_statement [];
    UsersRead get Get "/api/wallets/users/{user_id}" user_wallets::list::list_user_wallets [];
    UsersWrite post Post "/api/wallets/users/{user_id}" user_wallets::create::create_user_wallet
        [BODY, &[Code::BadText]];
    UsersWrite delete Delete "/api/wallets/users/{user_id}/{address}" user_wallets::delete::delete_user_wallet [FOUND];
    WalletsWrite post Post "/api/supplier-wallets/add" supplier_wallets::add::add_supplier_wallets
        [BODY, MARKED, &[Code::BadText, Code::AddressNeedsPermission, Code::WalletExists]];
    WalletsRead get Get "/api/supplier-wallets/" supplier_wallets::list::list_supplier_wallets [];
    WalletsRead get Get "/api/supplier-wallets/{id}" supplier_wallets::get::get_supplier_wallet [FOUND];
    WalletsRead get Get "/api/supplier-wallets/{id}/permissions"
        supplier_wallets::get_permissions::get_supplier_wallet_permissions [FOUND];
    WalletsKeys post Post "/api/supplier-wallets/{id}/key" supplier_wallets::replace_key::replace_supplier_wallet_key
        [BODY, MARKED, FOUND, BY_HAND, WAITS, &[Code::WalletNotActive, Code::Conflict]];
    WalletsRead get Get "/api/supplier-wallets/{id}/snapshots"
        supplier_wallets::list_snapshots::list_supplier_wallet_snapshots [FOUND];
    WalletsSync post Post "/api/supplier-wallets/update-balances"
        supplier_wallets::update_balances::update_supplier_wallet_balances [BODY, FOUND, &[Code::WalletNotActive]];
    OrdersManage post Post "/api/supplier-wallets/process-orders"
        supplier_wallets::process_orders::process_pending_orders [];
    WalletsWrite put Put "/api/supplier-wallets/{id}/toggle" supplier_wallets::toggle::toggle_supplier_wallet
        [BODY, FOUND, &[Code::WalletNotActive]];
    JobsRead get Get "/api/operations/queues" operations::queues::list_queues [];
    JobsPause put Put "/api/operations/queues/{queue}" operations::pause_queue::pause_queue [BODY, FOUND, BY_HAND];
    JobsRead get Get "/api/operations/jobs" operations::list_jobs::list_jobs [];
    JobsRedrive post Post "/api/operations/jobs/redrive" operations::redrive_jobs::redrive_jobs [BODY, MARKED, BY_HAND];
    JobsDrop post Post "/api/operations/jobs/drop" operations::drop_jobs::drop_jobs [BODY, MARKED, BY_HAND];
    JobsRead get Get "/api/operations/stuck" operations::list_stuck::list_stuck [];
    JobsRedrive post Post "/api/operations/stuck/redrive" operations::redrive_stuck::redrive_stuck [BODY, MARKED, BY_HAND];
    FindingsRead get Get "/api/operations/findings" operations::list_findings::list_findings [];
    FindingsResolve post Post "/api/operations/findings/{id}/resolve" operations::resolve_finding::resolve_finding
        [BODY, MARKED, FOUND, BY_HAND, &[Code::Conflict]];
    OrdersManage post Post "/api/operations/orders/retry" operations::retry_orders::retry_orders [BODY, MARKED, BY_HAND];
    OrdersRefund post Post "/api/operations/orders/refund" operations::refund_orders::refund_orders
        [BODY, MARKED, BY_HAND, &[Code::BalanceTooLarge]];
    OrdersNote post Post "/api/operations/orders/note" operations::note_orders::note_orders [BODY, MARKED, BY_HAND];
    PayoutsReview get Get "/api/operations/payouts" operations::list_payouts::list_payouts [];
    PayoutsExport get Get "/api/operations/payouts.csv" payouts::export::export_payouts [];
    PayoutsApprove post Post "/api/operations/payouts/{id}/approve" operations::approve_payout::approve_payout
        [BODY, MARKED, FOUND, BY_HAND, &[Code::OwnPayout, Code::PayoutDecided]];
    PayoutsApprove post Post "/api/operations/payouts/{id}/reject" operations::reject_payout::reject_payout
        [BODY, MARKED, FOUND, BY_HAND, &[Code::PayoutDecided, Code::PayoutMayBePaid]];
    PoolReview get Get "/api/operations/pool" operations::list_pool::list_pool [];
    DepositsReview get Get "/api/operations/deposits" operations::list_deposits::list_deposits [];
    DepositsExport get Get "/api/operations/deposits.csv" deposits::export::export_deposits [];
    DepositsRule post Post "/api/operations/deposits/{id}/rule" operations::rule_deposit::rule_deposit
        [BODY, MARKED, FOUND, BY_HAND, &[Code::Conflict, Code::InsufficientFunds, Code::OwnProposal]];
    SweepsRead get Get "/api/operations/sweeps" operations::list_sweeps::list_sweeps [];
    StakingsRead get Get "/api/operations/stakings" operations::list_stakings::list_stakings [];
    StakingsWrite post Post "/api/operations/stakings" operations::request_staking::request_staking
        [BODY, MARKED, BY_HAND, &[Code::NotFound, Code::WalletNotActive, Code::StakeRefused]];
    RentalsRead get Get "/api/operations/rentals" operations::list_rentals::list_rentals [];
    JobsRead get Get "/api/operations/switches" operations::list_switches::list_switches [];
    MaintenanceManage put Put "/api/operations/switches/{name}" operations::throw_switch::throw_switch [BODY, FOUND, BY_HAND];
    ActionsRead get Get "/api/operations/actions" operations::list_actions::list_actions [];
    AuditRead get Get "/api/operations/audit" operations::list_audit::list_audit [];
    AuditExport get Get "/api/operations/audit.csv" operations::export_audit::export_audit [];
    EventsRead get Get "/api/events" events::stream::stream_events [];
    WebhooksWrite post Post "/api/webhooks" webhooks::create::create_webhook
        [BODY, MARKED, &[Code::WebhookUrlRefused, Code::BadText, Code::Conflict]];
    WebhooksRead get Get "/api/webhooks" webhooks::list::list_webhooks [];
    WebhooksRead get Get "/api/webhooks/{id}" webhooks::get::get_webhook [FOUND];
    WebhooksWrite patch Patch "/api/webhooks/{id}" webhooks::update::update_webhook
        [BODY, MARKED, FOUND, &[Code::WebhookUrlRefused, Code::BadText]];
    WebhooksWrite delete Delete "/api/webhooks/{id}" webhooks::delete::delete_webhook [FOUND];
    WebhooksWrite post Post "/api/webhooks/{id}/rotate-secret" webhooks::rotate_secret::rotate_webhook_secret
        [BODY, MARKED, FOUND, &[Code::Conflict]];
    WebhooksWrite post Post "/api/webhooks/{id}/test" webhooks::test::test_webhook
        [BODY, MARKED, FOUND, &[Code::WebhookDisabled]];
    WebhooksRead get Get "/api/webhooks/{id}/deliveries" webhooks::list_deliveries::list_webhook_deliveries [FOUND];
    WebhooksResend post Post "/api/webhooks/{id}/deliveries/{delivery_id}/resend"
        webhooks::resend_delivery::resend_webhook_delivery [BODY, MARKED, FOUND, BY_HAND, &[Code::WebhookDisabled]];
    WebhooksResend post Post "/api/webhooks/{id}/resend" webhooks::resend::resend_webhook_deliveries
        [BODY, MARKED, FOUND, BY_HAND, &[Code::WebhookDisabled]];
    Nothing post Post "/api/auth/sign-in" auth::sign_in::sign_in [BODY, DOOR, &[Code::SignInFailed, Code::CodeNeeded]];
    Nothing post Post "/api/auth/refresh" auth::refresh::refresh_session [BODY, DOOR, &[Code::SessionOver]];
    AccountOwn post Post "/api/auth/sign-out" auth::sign_out::sign_out [FOUND];
    AccountOwn post Post "/api/auth/sign-out-everywhere" auth::sign_out_everywhere::sign_out_everywhere [];
    AccountOwn get Get "/api/auth/me" auth::me::get_me [];
    AccountOwn post Post "/api/auth/password" auth::change_password::change_password
        [BODY, BY_HAND, &[Code::NotProven, Code::WeakPassword]];
    AccountOwn post Post "/api/auth/totp" auth::enrol_totp::enrol_totp [BODY, DOOR, &[Code::NotProven]];
    AccountOwn post Post "/api/auth/totp/confirm" auth::confirm_totp::confirm_totp [BODY, DOOR, FOUND, &[Code::NotProven]];
    AccountOwn get Get "/api/auth/sessions" auth::list_sessions::list_own_sessions [];
    AccountOwn delete Delete "/api/auth/sessions/{id}" auth::end_session::end_own_session [FOUND];
    ApprovalsRead get Get "/api/approvals" approvals::list::list_approvals [];
    ApprovalsRead get Get "/api/approvals/{id}" approvals::get::get_approval [FOUND];
    ApprovalsDecide post Post "/api/approvals/{id}/approve" approvals::approve::approve_request
        [BODY, MARKED, FOUND, BY_HAND, DECIDE];
    ApprovalsDecide post Post "/api/approvals/{id}/reject" approvals::reject::reject_request
        [BODY, MARKED, FOUND, BY_HAND, &[Code::ApprovalDecided]];
    OperatorsRead get Get "/api/operators" operators::list::list_operators [];
    OperatorsManage post Post "/api/operators" operators::create::create_operator
        [BODY, MARKED, BY_HAND, &[Code::Conflict, Code::MoreThanOwn]];
    OperatorsRead get Get "/api/operators/{id}" operators::get::get_operator [FOUND];
    OperatorsManage patch Patch "/api/operators/{id}" operators::update::update_operator
        [BODY, FOUND, BY_HAND, &[Code::MoreThanOwn, Code::OwnAccount, Code::LastSuperAdmin]];
    OperatorsReset post Post "/api/operators/{id}/reset-password" operators::reset_password::reset_operator_password
        [BODY, MARKED, FOUND, BY_HAND, &[Code::MoreThanOwn, Code::OwnAccount]];
    OperatorsReset post Post "/api/operators/{id}/reset-totp" operators::reset_totp::reset_operator_totp
        [BODY, MARKED, FOUND, BY_HAND, &[Code::MoreThanOwn, Code::OwnAccount]];
    OperatorsReset post Post "/api/operators/{id}/unlock" operators::unlock::unlock_operator [FOUND, &[Code::MoreThanOwn]];
    OperatorsReset post Post "/api/operators/{id}/sign-out" operators::sign_out::sign_operator_out
        [FOUND, &[Code::MoreThanOwn, Code::OwnAccount]];
    OperatorsRead get Get "/api/operators/{id}/sessions" operators::sessions::list_operator_sessions [FOUND];
    KeysRead get Get "/api/keys" keys::list::list_keys [];
    KeysManage post Post "/api/keys" keys::create::create_key [BODY, MARKED, BY_HAND, &[Code::MoreThanOwn]];
    KeysRead get Get "/api/keys/{id}" keys::get::get_key [FOUND];
    KeysManage put Put "/api/keys/{id}/terms" keys::set_terms::set_key_terms
        [BODY, FOUND, BY_HAND, &[Code::MoreThanOwn]];
    KeysManage post Post "/api/keys/{id}/rotate" keys::rotate::rotate_key
        [BODY, MARKED, FOUND, BY_HAND, &[Code::MoreThanOwn]];
    KeysManage post Post "/api/keys/{id}/signing" keys::sign::sign_key
        [BODY, MARKED, FOUND, BY_HAND, DOOR, &[Code::MoreThanOwn]];
    KeysManage delete Delete "/api/keys/{id}/signing" keys::unsign::unsign_key [FOUND, &[Code::MoreThanOwn]];
    KeysRevoke post Post "/api/keys/{id}/revoke" keys::revoke::revoke_key [FOUND];
    SettingsRead get Get "/api/settings" settings::list::list_settings [];
    SettingsWrite put Put "/api/settings" settings::update::update_settings
        [BODY, MARKED, BY_HAND, WAITS, &[Code::Conflict]];
    SettingsRead get Get "/api/settings/versions" settings::versions::list_setting_versions [];
    SettingsRead get Get "/api/settings/versions/{version}" settings::version::get_setting_version [FOUND];
    SettingsWrite post Post "/api/settings/versions/{version}/restore" settings::restore::restore_settings
        [BODY, MARKED, FOUND, BY_HAND, WAITS, &[Code::Conflict]];
    RolesRead get Get "/api/permissions" roles::permissions::list_permissions [];
    RolesRead get Get "/api/roles" roles::list::list_roles [];
    RolesManage put Put "/api/roles/{name}" roles::set::set_role [BODY, BY_HAND, &[Code::MoreThanOwn]];
    RolesManage delete Delete "/api/roles/{name}" roles::delete::delete_role [FOUND, &[Code::Conflict, Code::MoreThanOwn]];
}

/// The API: everything under `/api` behind a key or a sign-in, the operators' page, and health.
pub fn router(app: Arc<App>) -> Router {
    let mut api = Router::new();
    let mut described = Described::openapi();
    for route in routes() {
        let guarded = Guarded {
            app: app.clone(),
            needs: route.needs,
            action: route.action,
        };
        let guard = from_fn_with_state(guarded, guard);
        let mut handler = route.handler;
        if !has_parameters(&mut described, route.path, &route.method) {
            handler = handler.route_layer(from_fn(no_query));
        }
        if unchanged::KEPT.contains(&route.action) {
            handler = handler.route_layer(from_fn(unchanged::unchanged));
        }
        let handler = handler.route_layer(guard);
        // a collection whose path ends in a slash is found without it too
        if let Some(bare) = route.path.strip_suffix('/') {
            api = api.route(bare, handler.clone());
        }
        api = api.route(route.path, handler);
    }
    let router = api
        .layer(DefaultBodyLimit::max(app.settings.api.max_body_bytes))
        .layer(from_fn_with_state(app.clone(), bounds))
        .merge(console())
        .merge(health())
        .layer(from_fn_with_state(app.clone(), observe))
        .with_state(app.clone());
    browsers(router, &app.settings.api)
}

/// Whether a route's description names parameters of its query.
fn has_parameters(described: &mut OpenApiDocument, path: &str, method: &HttpMethod) -> bool {
    let item = described.paths.paths.get_mut(path);
    let operation = item.and_then(|item| operation(item, method));
    let parameters = operation.and_then(|operation| operation.parameters.as_ref());
    parameters.is_some_and(|all| all.iter().any(|one| one.parameter_in == ParameterIn::Query))
}

/// For operators, inside the network: health, metrics and the API's description, without a key.
pub fn ops_router(app: Arc<App>) -> Router {
    let metrics = app.metrics.clone();
    let document = openapi();
    Router::new()
        .route("/metrics", get(move || std::future::ready(metrics.render())))
        .merge(health())
        .merge(utoipa_swagger_ui::SwaggerUi::new("/docs").url("/openapi.json", document))
        .with_state(app)
}

fn health() -> Router<Arc<App>> {
    let plain = |mut response: Response| async {
        response.extensions_mut().insert(Plain);
        response
    };
    Router::new()
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        // not `layer`: it would mark the fallback too
        .route_layer(map_response(plain))
}
