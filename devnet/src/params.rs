//! Prices and limits of the network, and the list that `getchainparameters` answers.

use chain::TronAddress;

/// What the executors need to know. The values are mainnet's of 2026 where known.
#[derive(Debug, Clone)]
pub(crate) struct Params {
    /// The token's contract.
    pub(crate) usdt: TronAddress,
    /// Sun per unit of energy.
    pub(crate) energy_fee: i64,
    /// Sun per byte.
    pub(crate) transaction_fee: i64,
    /// Bandwidth that everybody has per day.
    pub(crate) free_net_limit: i64,
    /// Sun for activating an account without staked bandwidth.
    pub(crate) create_account_fee: i64,
    /// Sun for activating an account.
    pub(crate) new_account_fee: i64,
    /// Sun for a memo.
    pub(crate) memo_fee: i64,
    /// Sun for more than one signature.
    pub(crate) multi_sign_fee: i64,
    /// Sun for changing an account's permissions.
    pub(crate) update_permission_fee: i64,
    /// Largest fee limit, sun.
    pub(crate) max_fee_limit: i64,
    /// Longest lock, blocks.
    pub(crate) max_lock_period: i64,
    /// Days from unfreezing to withdrawal.
    pub(crate) unfreeze_delay_days: i64,
    /// Energy sold per day.
    pub(crate) total_energy_limit: i64,
    /// Bandwidth sold per day.
    pub(crate) total_net_limit: i64,
}

impl Params {
    /// Mainnet's values with the token at `usdt`.
    pub(crate) const fn mainnet(usdt: TronAddress) -> Self {
        Self {
            usdt,
            energy_fee: 100,
            transaction_fee: 1_000,
            free_net_limit: 600,
            create_account_fee: 100_000,
            new_account_fee: 1_000_000,
            memo_fee: 1_000_000,
            multi_sign_fee: 1_000_000,
            update_permission_fee: 100_000_000,
            max_fee_limit: 15_000_000_000,
            max_lock_period: 864_000,
            unfreeze_delay_days: 14,
            total_energy_limit: 180_000_000_000,
            total_net_limit: 43_200_000_000,
        }
    }

    /// Key and value as `getchainparameters` names them; a zero value is left out by the renderer.
    pub(crate) fn list(&self) -> Vec<(&'static str, i64)> {
        vec![
            ("getMaintenanceTimeInterval", 21_600_000),
            ("getAccountUpgradeCost", 9_999_000_000),
            ("getCreateAccountFee", self.create_account_fee),
            ("getTransactionFee", self.transaction_fee),
            ("getAssetIssueFee", 1_024_000_000),
            ("getCreateNewAccountFeeInSystemContract", self.new_account_fee),
            ("getCreateNewAccountBandwidthRate", 1),
            ("getEnergyFee", self.energy_fee),
            ("getMaxCpuTimeOfOneTx", 80),
            ("getFreeNetLimit", self.free_net_limit),
            ("getTotalNetLimit", self.total_net_limit),
            ("getTotalEnergyLimit", self.total_energy_limit),
            ("getTotalEnergyCurrentLimit", self.total_energy_limit),
            ("getAllowMultiSign", 1),
            ("getAllowAdaptiveEnergy", 0),
            ("getAllowDelegateResource", 1),
            ("getUpdateAccountPermissionFee", self.update_permission_fee),
            ("getMultiSignFee", self.multi_sign_fee),
            ("getForbidTransferToContract", 1),
            ("getAllowNewResourceModel", 1),
            ("getMaxFeeLimit", self.max_fee_limit),
            ("getMemoFee", self.memo_fee),
            ("getUnfreezeDelayDays", self.unfreeze_delay_days),
            ("getAllowDynamicEnergy", 1),
            ("getDynamicEnergyThreshold", 5_000_000_000),
            ("getDynamicEnergyIncreaseFactor", 2_000),
            ("getDynamicEnergyMaxFactor", 34_000),
            ("getMaxDelegateLockPeriod", self.max_lock_period),
            ("getAllowCancelAllUnfreezeV2", 1),
            ("getMaxCreateAccountTxSize", 1_000),
        ]
    }
}
