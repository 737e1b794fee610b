//! The roles that there are without anybody making them. What they give grows with the product.

use crate::{Permission, PermissionSet};

macro_rules! roles {
    ($($role:ident = $name:literal, $title:literal, $title_zh:literal;)+) => {
        /// A role of the house.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum BuiltInRole { $(#[doc = $title] $role),+ }

        impl BuiltInRole {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$role),+];

            /// Its name.
            #[must_use]
            pub const fn name(self) -> &'static str { match self { $(Self::$role => $name),+ } }

            /// What it is, in English.
            #[must_use]
            pub const fn title(self) -> &'static str { match self { $(Self::$role => $title),+ } }

            /// What it is, in Chinese.
            #[must_use]
            pub const fn title_zh(self) -> &'static str { match self { $(Self::$role => $title_zh),+ } }
        }
    };
}

roles! {
    SuperAdmin = "super_admin", "May do everything", "超级管理员";
    UserManager = "user_manager", "Customers and their orders", "用户管理员";
    FinanceManager = "finance_manager", "Money: balances, deposits, payouts, prices", "财务管理员";
    WalletManager = "wallet_manager", "Supplier wallets, stakings and jobs", "钱包管理员";
    AiManager = "ai_manager", "Assistants and texts for customers", "智能助手管理员";
    DataManager = "data_manager", "Market data and reports", "数据管理员";
    StrategyManager = "strategy_manager", "Strategies and proposals of prices", "策略管理员";
    Observer = "observer", "Sees everything and changes nothing", "观察员";
}

impl BuiltInRole {
    /// The role with this name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|role| role.name() == name)
    }

    /// What it gives, besides [`Permission::AccountOwn`], which every operator has.
    #[must_use]
    pub fn permissions(self) -> PermissionSet {
        let given = |permission: Permission| match self {
            Self::SuperAdmin => true,
            Self::UserManager => user_manager(permission),
            Self::FinanceManager => finance_manager(permission),
            Self::WalletManager => wallet_manager(permission),
            Self::AiManager => {
                ["ai", "content"].contains(&permission.area())
                    || matches!(
                        permission,
                        Permission::OrdersRead | Permission::UsersRead | Permission::ReportsRead
                    )
            }
            Self::DataManager => {
                ["data", "reports"].contains(&permission.area())
                    || matches!(
                        permission,
                        Permission::PoolRead | Permission::PricingRead | Permission::RatesRead
                    )
            }
            Self::StrategyManager => {
                permission.area() == "strategy"
                    || matches!(
                        permission,
                        Permission::PoolRead
                            | Permission::PoolReview
                            | Permission::PricingRead
                            | Permission::PricingWrite
                            | Permission::RatesRead
                            | Permission::ReportsRead
                            | Permission::DataRead
                    )
            }
            Self::Observer => permission.only_reads(),
        };
        let points = Permission::ALL.iter().copied();
        points
            .filter(|point| *point != Permission::AccountOwn && (*point == Permission::EventsRead || given(*point)))
            .collect()
    }
}

fn user_manager(permission: Permission) -> bool {
    ["users", "orders", "quotes"].contains(&permission.area())
        || matches!(
            permission,
            Permission::PoolRead
                | Permission::BalancesRead
                | Permission::DepositsRead
                | Permission::PayoutsRead
                | Permission::ExchangesRead
                | Permission::PricingRead
                | Permission::RatesRead
                | Permission::WebhooksRead
        )
}

fn finance_manager(permission: Permission) -> bool {
    let areas = [
        "balances",
        "deposits",
        "payouts",
        "exchanges",
        "rates",
        "pricing",
        "reports",
        "sweeps",
        "rentals",
    ];
    areas.contains(&permission.area())
        || matches!(
            permission,
            Permission::OrdersRead
                | Permission::OrdersRefund
                | Permission::OrdersExport
                | Permission::UsersRead
                | Permission::UsersExport
                | Permission::PoolRead
                | Permission::FindingsRead
                | Permission::FindingsResolve
                | Permission::ActionsRead
                | Permission::ApprovalsRead
                | Permission::ApprovalsDecide
                | Permission::AuditRead
        )
}

fn wallet_manager(permission: Permission) -> bool {
    ["wallets", "stakings", "pool", "jobs", "findings", "sweeps"].contains(&permission.area())
        || matches!(
            permission,
            Permission::OrdersRead
                | Permission::OrdersManage
                | Permission::ActionsRead
                | Permission::ApprovalsRead
                | Permission::ApprovalsDecide
                | Permission::PricingRead
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn observers_see_and_do_nothing() {
        let sees = BuiltInRole::Observer.permissions();
        assert!(sees.iter().all(Permission::only_reads));
        assert!(sees.has(Permission::AuditRead) && sees.has(Permission::OperatorsRead));
    }

    #[test]
    fn operators_and_keys_are_made_by_super_admins_alone() {
        for role in BuiltInRole::ALL.iter().filter(|role| **role != BuiltInRole::SuperAdmin) {
            let given = role.permissions();
            for point in [
                Permission::OperatorsManage,
                Permission::OperatorsReset,
                Permission::RolesManage,
                Permission::KeysManage,
                Permission::SettingsWrite,
            ] {
                assert!(!given.has(point), "{} has {}", role.name(), point.word());
            }
            assert_ne!(given, PermissionSet::default(), "{} may do something", role.name());
            assert_eq!(BuiltInRole::of_name(role.name()), Some(*role));
        }
    }

    #[test]
    fn money_is_not_moved_by_who_keeps_wallets_nor_keys_by_who_keeps_money() {
        let (finance, wallets) = (
            BuiltInRole::FinanceManager.permissions(),
            BuiltInRole::WalletManager.permissions(),
        );
        for point in [
            Permission::BalancesWrite,
            Permission::PayoutsApprove,
            Permission::DepositsRule,
        ] {
            assert!(finance.has(point) && !wallets.has(point), "{}", point.word());
        }
        for point in [
            Permission::WalletsKeys,
            Permission::WalletsWrite,
            Permission::StakingsWrite,
        ] {
            assert!(wallets.has(point) && !finance.has(point), "{}", point.word());
        }
    }
}
