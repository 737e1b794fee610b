//! The points that routes ask for. Each is given by one scope of an API key, or to operators alone; operators have them by
//! their roles.

use crate::Scope;

macro_rules! permissions {
    ($($permission:ident = $word:literal, $($scope:ident)?, $title:literal, $title_zh:literal;)+) => {
        /// One thing that somebody may be allowed to do.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Permission { $(#[doc = $title] $permission),+ }

        impl Permission {
            /// Every point.
            pub const ALL: &'static [Self] = &[$(Self::$permission),+];

            /// Its word: an area and what is done there.
            #[must_use]
            pub const fn word(self) -> &'static str { match self { $(Self::$permission => $word),+ } }

            /// What it allows, in English.
            #[must_use]
            pub const fn title(self) -> &'static str { match self { $(Self::$permission => $title),+ } }

            /// What it allows, in Chinese.
            #[must_use]
            pub const fn title_zh(self) -> &'static str { match self { $(Self::$permission => $title_zh),+ } }

            /// The scope of an API key that gives it; `None`: no key has it.
            #[must_use]
            pub const fn scope(self) -> Option<Scope> { match self { $(Self::$permission => scope!($($scope)?)),+ } }
        }
    };
}

macro_rules! scope {
    () => {
        None
    };
    ($scope:ident) => {
        Some(Scope::$scope)
    };
}

permissions! {
    AccountOwn = "account:own", , "One's own password, second factor and sessions", "自己的密码、二次验证与会话";

    OrdersRead = "orders:read", OrdersRead, "See orders and addresses that are kept", "查看订单和托管地址";
    OrdersWrite = "orders:write", OrdersWrite, "Place, cancel and extend orders", "下单、取消和续租";
    OrdersManage = "orders:manage", SupplierWalletsWrite, "Have waiting orders tried now", "立即处理等待中的订单";
    OrdersRefund = "orders:refund", , "Give the money of an order back", "退还订单款项";
    OrdersNote = "orders:note", , "Write notes at orders", "给订单添加备注";
    OrdersExport = "orders:export", , "Export orders", "导出订单";
    QuotesWrite = "quotes:write", OrdersRead, "Have a price held", "锁定报价";
    PoolRead = "pool:read", OrdersRead, "See what can be sold", "查看可售能量";
    PoolReview = "pool:review", OperationsRead, "See what each wallet can sell", "查看各钱包可售能量";

    UsersRead = "users:read", UsersRead, "See users and their addresses", "查看用户及其地址";
    UsersWrite = "users:write", UsersWrite, "Keep addresses for users", "维护用户地址";
    UsersBlock = "users:block", , "Block and unblock users", "封禁和解封用户";
    UsersExport = "users:export", , "Export users and statements", "导出用户和对账单";
    BalancesRead = "balances:read", UsersRead, "See balances", "查看余额";
    BalancesWrite = "balances:write", BalancesWrite, "Book corrections of balances", "调整余额";
    BalancesApprove = "balances:approve", , "Agree to corrections of others", "批准他人的余额调整";

    DepositsRead = "deposits:read", DepositsRead, "See deposits", "查看充值";
    DepositsWrite = "deposits:write", DepositsWrite, "Announce deposits", "发起充值";
    DepositsReview = "deposits:review", OperationsRead, "See transfers that wait for somebody", "查看待处理的转账";
    DepositsRule = "deposits:rule", OperationsWrite, "Decide whose a transfer is", "裁定转账归属";
    DepositsExport = "deposits:export", , "Export deposits", "导出充值记录";
    SweepsRead = "sweeps:read", OperationsRead, "See what is collected from deposit addresses", "查看归集";
    SweepsManage = "sweeps:manage", , "Retry and give up collections", "重试或放弃归集";
    RentalsRead = "rentals:read", OperationsRead, "See what was bought by transfer", "查看转账购买";

    PayoutsRead = "payouts:read", PayoutsRead, "See payouts of users", "查看用户提现";
    PayoutsWrite = "payouts:write", PayoutsWrite, "Ask for payouts", "申请提现";
    PayoutsReview = "payouts:review", OperationsRead, "See all payouts", "查看全部提现";
    PayoutsApprove = "payouts:approve", OperationsWrite, "Approve and reject payouts", "批准或拒绝提现";
    PayoutsExport = "payouts:export", , "Export payouts", "导出提现记录";

    ExchangesRead = "exchanges:read", ExchangesRead, "See exchanges", "查看兑换";
    ExchangesWrite = "exchanges:write", ExchangesWrite, "Exchange money of users", "为用户兑换";
    RatesRead = "rates:read", ExchangesRead, "See rates", "查看汇率";
    RatesManage = "rates:manage", , "Set rates by hand", "手动设置汇率";

    PricingRead = "pricing:read", OrdersRead, "See prices and packages", "查看价格和套餐";
    PricingWrite = "pricing:write", , "Propose prices", "提出新价格";
    PricingApprove = "pricing:approve", , "Agree to prices that others proposed", "批准他人提出的价格";

    WalletsRead = "wallets:read", SupplierWalletsRead, "See supplier wallets", "查看供应商钱包";
    WalletsWrite = "wallets:write", SupplierWalletsWrite, "Add supplier wallets and switch them on and off", "添加和启停供应商钱包";
    WalletsSync = "wallets:sync", SupplierWalletsWrite, "Have wallets read now", "立即同步钱包";
    WalletsKeys = "wallets:keys", SupplierWalletsWrite, "Replace the keys of wallets", "更换钱包私钥";
    WalletsApprove = "wallets:approve", , "Agree to keys that others put in", "批准他人更换私钥";
    StakingsRead = "stakings:read", OperationsRead, "See stakings", "查看质押";
    StakingsWrite = "stakings:write", OperationsWrite, "Stake and unstake coin of wallets", "质押和解押";

    KeysRead = "keys:read", , "See API keys", "查看 API 密钥";
    KeysManage = "keys:manage", , "Make, limit and rotate API keys", "创建、限制和轮换 API 密钥";
    KeysRevoke = "keys:revoke", , "Revoke API keys", "吊销 API 密钥";

    WebhooksRead = "webhooks:read", WebhooksRead, "See webhooks and their deliveries", "查看 webhook 及投递";
    WebhooksWrite = "webhooks:write", WebhooksWrite, "Register and change webhooks", "登记和修改 webhook";
    WebhooksResend = "webhooks:resend", WebhooksWrite, "Send messages again", "重发消息";
    EventsRead = "events:read", EventsRead, "Be told of what happens, of what one may see", "接收事件推送";

    JobsRead = "jobs:read", OperationsRead, "See queues, jobs and what is stuck", "查看队列、任务和卡住的对象";
    JobsRedrive = "jobs:redrive", OperationsWrite, "Have jobs run again", "重新执行任务";
    JobsDrop = "jobs:drop", OperationsWrite, "Drop dead jobs", "丢弃失败任务";
    JobsPause = "jobs:pause", , "Pause queues", "暂停队列";
    FindingsRead = "findings:read", OperationsRead, "See findings", "查看异常发现";
    FindingsResolve = "findings:resolve", OperationsWrite, "Resolve findings", "处理异常发现";
    ActionsRead = "actions:read", OperationsRead, "See what was done by hand", "查看人工操作记录";

    ReportsRead = "reports:read", , "See reports", "查看报表";
    ReportsExport = "reports:export", , "Export reports", "导出报表";
    SettingsRead = "settings:read", , "See settings", "查看设置";
    SettingsWrite = "settings:write", , "Change settings", "修改设置";
    SettingsApprove = "settings:approve", , "Agree to settings that others changed", "批准他人的设置修改";
    MaintenanceManage = "maintenance:manage", , "Stop and allow new orders", "停止或恢复接单";

    OperatorsRead = "operators:read", , "See operators and their sessions", "查看操作员及其会话";
    OperatorsManage = "operators:manage", , "Make, change and disable operators", "创建、修改和停用操作员";
    OperatorsReset = "operators:reset", , "Reset passwords and second factors, end sessions of others", "重置他人的密码与二次验证、结束他人会话";
    RolesRead = "roles:read", , "See roles and permissions", "查看角色和权限";
    RolesManage = "roles:manage", , "Make and change roles", "创建和修改角色";
    ApprovalsRead = "approvals:read", , "See what waits for a second operator", "查看待复核事项";
    ApprovalsDecide = "approvals:decide", , "Decide on what others asked for", "处理待复核事项";
    AuditRead = "audit:read", AuditRead, "See the audit trail", "查看审计日志";
    AuditExport = "audit:export", , "Export the audit trail", "导出审计日志";

    AiRead = "ai:read", , "See assistants and their answers", "查看智能助手";
    AiWrite = "ai:write", , "Change assistants", "修改智能助手";
    AiManage = "ai:manage", , "Switch assistants on and off", "启停智能助手";
    DataRead = "data:read", , "See market data", "查看市场数据";
    DataWrite = "data:write", , "Change sources of data", "修改数据源";
    DataManage = "data:manage", , "Switch sources of data on and off", "启停数据源";
    DataExport = "data:export", , "Export market data", "导出市场数据";
    StrategyRead = "strategy:read", , "See strategies", "查看策略";
    StrategyWrite = "strategy:write", , "Change strategies", "修改策略";
    StrategyManage = "strategy:manage", , "Switch strategies on and off", "启停策略";
    ContentRead = "content:read", , "See texts for customers", "查看客户文案";
    ContentWrite = "content:write", , "Change texts for customers", "修改客户文案";
    ContentPublish = "content:publish", , "Publish texts for customers", "发布客户文案";
}

impl Permission {
    /// The point with this word.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|permission| permission.word() == word)
    }

    /// What stands before the colon.
    #[must_use]
    pub fn area(self) -> &'static str {
        self.word().split_once(':').map_or("", |(area, _)| area)
    }

    /// Whether it only lets see.
    #[must_use]
    pub fn only_reads(self) -> bool {
        self.word().ends_with(":read") || self.word().ends_with(":review")
    }

    const fn bit(self) -> u128 {
        1 << self as u8
    }
}

/// Points that somebody has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PermissionSet(u128);

impl PermissionSet {
    /// Every point.
    #[must_use]
    pub fn all() -> Self {
        Permission::ALL.iter().copied().collect()
    }

    /// What scopes of an API key give. Words that are no scope give nothing.
    #[must_use]
    pub fn of_scopes(scopes: &[String]) -> Self {
        let given = |scope: Scope| scopes.iter().any(|word| word == scope.word());
        let all = Permission::ALL.iter().copied();
        all.filter(|permission| permission.scope().is_some_and(given)).collect()
    }

    /// Whether it holds this point.
    #[must_use]
    pub const fn has(self, permission: Permission) -> bool {
        self.0 & permission.bit() != 0
    }

    /// Whether it holds all of these.
    #[must_use]
    pub const fn has_all(self, others: Self) -> bool {
        others.0 & !self.0 == 0
    }

    /// With all of those.
    #[must_use]
    pub const fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// Its points, in the order of the list.
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::ALL
            .iter()
            .copied()
            .filter(move |permission| self.has(*permission))
    }

    /// Their words.
    #[must_use]
    pub fn words(self) -> Vec<&'static str> {
        self.iter().map(Permission::word).collect()
    }
}

impl FromIterator<Permission> for PermissionSet {
    fn from_iter<T: IntoIterator<Item = Permission>>(points: T) -> Self {
        Self(points.into_iter().fold(0, |bits, point| bits | point.bit()))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn words_are_areas_and_what_is_done_there_and_each_fits_the_set() {
        let words: BTreeSet<&str> = Permission::ALL.iter().map(|permission| permission.word()).collect();
        assert_eq!(words.len(), Permission::ALL.len(), "no word twice");
        assert!((60..=128).contains(&words.len()), "{}", words.len());
        for permission in Permission::ALL {
            let (area, what) = permission.word().split_once(':').unwrap();
            assert!(
                [area, what]
                    .iter()
                    .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase()))
            );
            assert_eq!(Permission::of_word(permission.word()), Some(*permission));
            let alone: PermissionSet = [*permission].into_iter().collect();
            assert_eq!(alone.words(), [permission.word()]);
        }
        assert_eq!(Permission::of_word("orders:fly"), None);
    }

    #[test]
    fn every_scope_gives_something_and_none_gives_what_operators_alone_have() {
        for scope in Scope::ALL {
            let given = PermissionSet::of_scopes(&[scope.word().to_owned()]);
            assert_ne!(given, PermissionSet::default(), "{}", scope.word());
            assert!(given.iter().all(|permission| permission.scope() == Some(*scope)));
        }
        let every: Vec<String> = Scope::ALL.iter().map(|scope| scope.word().to_owned()).collect();
        let keys = PermissionSet::of_scopes(&every);
        for point in [
            Permission::AccountOwn,
            Permission::OperatorsManage,
            Permission::KeysManage,
        ] {
            assert!(!keys.has(point));
        }
        assert_eq!(PermissionSet::of_scopes(&["all".to_owned()]), PermissionSet::default());
    }

    #[test]
    fn sets_hold_what_they_were_given() {
        let some: PermissionSet = [Permission::OrdersRead, Permission::ContentPublish]
            .into_iter()
            .collect();
        assert!(PermissionSet::all().has_all(some) && !some.has_all(PermissionSet::all()));
        assert!(some.has_all(PermissionSet::default()));
        assert_eq!(some.and(some), some);
        assert_eq!(some.words(), ["orders:read", "content:publish"]);
    }
}
