//! What an API key may be allowed to do: the words that are given when it is made.

macro_rules! scopes {
    ($($scope:ident = $word:literal;)+) => {
        /// What a key must be allowed to do.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Scope { $(#[doc = $word] $scope),+ }

        impl Scope {
            /// Every scope.
            pub const ALL: &'static [Self] = &[$(Self::$scope),+];

            /// Its word in a key.
            #[must_use]
            pub const fn word(self) -> &'static str { match self { $(Self::$scope => $word),+ } }
        }
    };
}

scopes! {
    OrdersRead = "orders:read";
    OrdersWrite = "orders:write";
    UsersRead = "users:read";
    UsersWrite = "users:write";
    BalancesWrite = "balances:write";
    PayoutsRead = "payouts:read";
    PayoutsWrite = "payouts:write";
    DepositsRead = "deposits:read";
    DepositsWrite = "deposits:write";
    ExchangesRead = "exchanges:read";
    ExchangesWrite = "exchanges:write";
    SupplierWalletsRead = "supplier_wallets:read";
    SupplierWalletsWrite = "supplier_wallets:write";
    OperationsRead = "operations:read";
    OperationsWrite = "operations:write";
    WebhooksRead = "webhooks:read";
    WebhooksWrite = "webhooks:write";
    EventsRead = "events:read";
    AuditRead = "audit:read";
}
