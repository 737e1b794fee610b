//! What an operator does about each kind of finding, in English and in Chinese.

use super::FindingKind;

impl FindingKind {
    /// What an operator does about it, in English and in Chinese.
    #[must_use]
    #[expect(clippy::too_many_lines, reason = "one arm for each kind, so that none is forgotten")]
    pub const fn action(self) -> (&'static str, &'static str) {
        match self {
            Self::NoWalletFits => (
                "Add or refill a supplier wallet, or wait for rentals to end.",
                "增加或补充供应商钱包，或等待租约到期。",
            ),
            Self::WalletIsolated => (
                "Look at the wallet's last transactions; then toggle it on to release it.",
                "查看该钱包最近的交易，确认后重新启用以解除隔离。",
            ),
            Self::CoinMissing => (
                "If you moved it yourself, resolve this and toggle the wallet on; else its key is in other hands: save what is left, and replace the wallet.",
                "若是您自己转出，请标记已解决并重新启用钱包；否则私钥已落入他人之手：转移剩余资产并更换钱包。",
            ),
            Self::StakeFell => (
                "If you unstaked it yourself, resolve this and toggle the wallet on; else its key is in other hands: cancel the unfreezing, and replace the wallet.",
                "若是您自己解除质押，请标记已解决并重新启用钱包；否则私钥已落入他人之手：取消解冻并更换钱包。",
            ),
            Self::KeyCannotSign => (
                "`switchyard-worker wallets check-permissions` says why: correct the account's permission, or replace the key; the wallet is released by the next good read.",
                "`switchyard-worker wallets check-permissions` 会说明原因：修正账户权限或更换密钥；下次读取正常后自动解除。",
            ),
            Self::HotKeyMovesMoney => (
                "Limit the permission to DelegateResource and UnDelegateResource, and name the key in no other; a treasury's to what it pays by.",
                "将该权限限制为 DelegateResource 和 UnDelegateResource，且不在其他权限中使用此密钥；金库钱包只保留付款所需权限。",
            ),
            Self::LowTrx => (
                "Send TRX to the wallet: without it a lack of bandwidth stops its transactions.",
                "向该钱包转入 TRX：没有 TRX 且带宽不足时交易无法发出。",
            ),
            Self::DelegatedDiffers => (
                "Compare the wallet's delegations on chain with `delegations`; undo foreign ones by hand.",
                "对照链上委托与 `delegations`；手动撤销外来的委托。",
            ),
            Self::LendsUnknown => (
                "Adopt what `landed` names by `switchyard-worker delegations adopt`; undo the rest by hand, and find out who else holds the key.",
                "用 `switchyard-worker delegations adopt` 认领 `landed` 中列出的委托；其余手动撤销，并查明还有谁持有密钥。",
            ),
            Self::LendsMissing => (
                "The receiver has less than was sold: compare `delegations` with the chain, pay back by hand, and find out who else holds the key.",
                "接收方得到的少于售出的：对照 `delegations` 与链上数据，手动补偿，并查明还有谁持有密钥。",
            ),
            Self::ReclaimFails => (
                "Look at the delegation on chain and at the wallet's bandwidth; re-drive `delegations.reclaim`.",
                "查看链上委托和钱包带宽，然后重新执行 `delegations.reclaim`。",
            ),
            Self::DeadTransactionLanded => (
                "Drop the node that lied; once the block is solid, `switchyard-worker delegations adopt <txid>` takes the stake back.",
                "停用给出错误答复的节点；区块最终确认后用 `switchyard-worker delegations adopt <txid>` 收回质押。",
            ),
            Self::TransactionMissed => (
                "A node gave an incomplete block: drop it; `switchyard-worker delegations adopt <txid>` books the transaction, `switchyard-worker deposits backfill` reads the range again. If several explorers show that no block has it, the node that named one lies: drop it and resolve this; it is held for dead then, and signed anew.",
                "某个节点返回了不完整的区块：移除该节点；用 `switchyard-worker delegations adopt <txid>` 将该交易入账，用 `switchyard-worker deposits backfill` 重读该区间。若多个浏览器都显示没有区块包含它，则是给出区块的节点有误：移除该节点并标记已解决；该交易随后视为失效并重新签名。",
            ),
            Self::NothingLands => (
                "The nodes take transactions and no block has them: put another endpoint first. No wallet is blamed for it.",
                "节点接受交易但没有区块包含它们：把其他节点放在首位。不会归咎于任何钱包。",
            ),
            Self::LowStock => (
                "Add or refill supplier wallets, or stake more for energy.",
                "增加或补充供应商钱包，或为能量增加质押。",
            ),
            Self::ScanHalted => (
                "Find out which fork the endpoints follow; then `switchyard-worker chain resume <network>`.",
                "查明各节点跟随哪条分叉，然后执行 `switchyard-worker chain resume <network>`。",
            ),
            Self::BalanceDiffers => (
                "Stop payouts (`switchyard-worker payouts stop`); compare `ledger_accounts` with `ledger_transfers` for the account.",
                "停止提现（`switchyard-worker payouts stop`）；对照该账户的 `ledger_accounts` 与 `ledger_transfers`。",
            ),
            Self::LedgerUnbalanced => (
                "Stop payouts (`switchyard-worker payouts stop`) and the workers, and keep the database as it is; run `switchyard-worker audit`, compare `ledger_transfers` per asset, and correct by a new transfer.",
                "停止提现（`switchyard-worker payouts stop`）和工作进程，数据库保持原样；运行 `switchyard-worker audit`，按资产核对 `ledger_transfers`，用一笔新的转账更正。",
            ),
            Self::LedgerNotReplayed => (
                "The books have grown, or PostgreSQL is slow: give it more memory and processors; until then `switchyard-worker audit` replays them, best on a copy.",
                "账目已增长或 PostgreSQL 变慢：增加内存和处理器；在此之前用 `switchyard-worker audit` 重放账目，最好在副本上执行。",
            ),
            Self::EscrowDiffers => (
                "Compare open orders with transfers of `house:escrow`; correct by a new transfer.",
                "对照未完成订单与 `house:escrow` 的转账；用一笔新的转账更正。",
            ),
            Self::ReservationDiffers => (
                "Sync the wallet; if it comes back, look for delegations left `reserved`.",
                "同步该钱包；若再次出现，查找停留在 `reserved` 的委托。",
            ),
            Self::DepositHeld => (
                "`switchyard-worker deposits show` tells what it is: credit it to a user, ignore it with a reason, or pay it back by hand and mark it refunded.",
                "`switchyard-worker deposits show` 会说明情况：入账给用户、注明理由后忽略，或手动退回并标记已退款。",
            ),
            Self::DepositNotCredited => (
                "Look at the job `deposits.credit` of the network, and re-drive it.",
                "查看该网络的任务 `deposits.credit` 并重新执行。",
            ),
            Self::DepositLedgerDiffers => (
                "Stop withdrawals; compare `incoming_transfers` with `ledger_transfers` for the event; correct by a new transfer.",
                "停止提现；对照该事件的 `incoming_transfers` 与 `ledger_transfers`；用一笔新的转账更正。",
            ),
            Self::DepositDiffers => (
                "Ask several nodes for the transaction: one of them gave a wrong block. If it was the first, correct what was credited (`deposits reverse`, `deposits credit`).",
                "向多个节点查询该交易：其中之一给出了错误的区块。若错的是首个节点，更正已入账金额（`deposits reverse`、`deposits credit`）。",
            ),
            Self::RatesStale => (
                "Nothing is exchanged: `switchyard-worker rates show` tells why. Repair the sources, or set a rate for a while by `rates set`.",
                "暂停一切兑换：`switchyard-worker rates show` 会说明原因。修复汇率来源，或用 `rates set` 临时设定汇率。",
            ),
            Self::DepositsNotCovered => (
                "Stop payouts and sweeps; if you moved it yourself, name that address in deposits.reserve_addresses; else find out on chain where it went.",
                "停止提现和归集；若是您自己转出，请将该地址写入 deposits.reserve_addresses；否则在链上查明资金去向。",
            ),
            Self::RatesRefused => (
                "Compare the sources' answers with the market: drop one that lies; if the market moved, confirm it by `switchyard-worker rates set`.",
                "将各来源的答复与市场价对照：停用失实的来源；若市场确实变动，用 `switchyard-worker rates set` 确认。",
            ),
            Self::ExchangeWaits => (
                "`switchyard-worker rates show` tells why there is no rate; re-drive `deposits.exchange`.",
                "`switchyard-worker rates show` 会说明为何没有汇率；然后重新执行 `deposits.exchange`。",
            ),
            Self::ExchangeLedgerDiffers => (
                "Stop withdrawals; compare `exchanges` with `ledger_transfers` for the event; correct by a new transfer.",
                "停止提现；对照该事件的 `exchanges` 与 `ledger_transfers`；用一笔新的转账更正。",
            ),
            Self::SweepStuck => (
                "`switchyard-worker sweeps show` tells what it waits for; `sweeps retry` looks now, `sweeps cancel` gives it up.",
                "`switchyard-worker sweeps show` 会说明在等待什么；`sweeps retry` 立即重试，`sweeps cancel` 放弃。",
            ),
            Self::SweepEnergy => (
                "See the order that the sweep names: a pool without room, no price, or a stop. It is tried again by itself.",
                "查看归集所列的订单：能量池已满、没有价格或已停止。系统会自动重试。",
            ),
            Self::SweepKeyMissing => (
                "Import the account's words by `switchyard-worker deposit-key import`; what lies there is not collected until then.",
                "用 `switchyard-worker deposit-key import` 导入该账户的助记词；在此之前不会归集其中的资金。",
            ),
            Self::SweepDiffers => (
                "Stop sweeps (`switchyard-worker sweeps stop`); compare the sweep's timeline with its transactions on chain.",
                "停止归集（`switchyard-worker sweeps stop`）；对照归集的时间线与链上交易。",
            ),
            Self::SweepUnrecorded => (
                "Somebody paid what no block that we read told of, through a contract mostly: find the payments on an explorer, read their blocks again by `switchyard-worker deposits backfill` with a node that keeps internal transactions, and decide on what is held; or correct the user's balance by hand and resolve this.",
                "有人付了款，但我们读到的区块没有记录，多半是通过合约付款：在浏览器上找到这些付款，用保留内部交易的节点执行 `switchyard-worker deposits backfill` 重读其区块，并处理被暂挂的款项；或手动更正用户余额并标记已解决。",
            ),
            Self::RentalHeld => (
                "Whose is the sender's address? If not an exchange's, `switchyard-worker rentals return`; else find out who sent it, `deposits reverse` it and give it to him by hand; `rentals close` leaves it to the house.",
                "付款地址属于谁？若不属于交易所，使用 `switchyard-worker rentals return` 退回；否则查明付款人，`deposits reverse` 冲正后手动退还；`rentals close` 将款项留归平台。",
            ),
            Self::RentalStuck => (
                "See its order or its payout, a stop of either, and whether deposits.rental is still configured; re-drive `deposits.rent`.",
                "查看其订单或提现、是否已停止，以及 deposits.rental 是否仍有配置；然后重新执行 `deposits.rent`。",
            ),
            Self::RentalsShort => (
                "Somebody spent what senders are owed: find the transfer of the house's customer, and correct it by a new one.",
                "应退给付款人的资金被动用：查出平台用户的相关转账，并用一笔新的转账更正。",
            ),
            Self::BurnsSoon => (
                "Stake TRX for bandwidth (`switchyard-worker stake bandwidth`), or send the wallet TRX: without, each transaction burns about 0.3.",
                "为带宽质押 TRX（`switchyard-worker stake bandwidth`），或向钱包转入 TRX：否则每笔交易约燃烧 0.3 TRX。",
            ),
            Self::StakingFailed => (
                "`switchyard-worker stake list --state failed` says why: coin, stake or the key's permission; ask again once it is mended.",
                "`switchyard-worker stake list --state failed` 会说明原因：余额、质押或密钥权限；解决后重新申请。",
            ),
            Self::StakingStuck => (
                "`switchyard-worker stake show` tells what it waits for; re-drive `wallets.stake`, or `stake revoke` gives it up.",
                "`switchyard-worker stake show` 会说明在等待什么；重新执行 `wallets.stake`，或用 `stake revoke` 放弃。",
            ),
            Self::StakingDiffers => (
                "Set pool.stake.enabled = false; compare the staking's timeline with its transactions on chain.",
                "设置 pool.stake.enabled = false；对照质押的时间线与链上交易。",
            ),
            Self::OrderStuck => (
                "Look at the order's timeline and its chain transaction; re-drive `orders.delegate`.",
                "查看订单的时间线及其链上交易，然后重新执行 `orders.delegate`。",
            ),
            Self::EndpointFailing => (
                "Tell its owner, see `switchyard-worker webhooks list`; once it answers, `webhooks resend`, or `webhooks disable`.",
                "通知其负责人，见 `switchyard-worker webhooks list`；恢复后使用 `webhooks resend`，或 `webhooks disable`。",
            ),
            Self::PayoutsDiffer => (
                "Stop payouts (`switchyard-worker payouts stop`); compare open payouts with transfers of `house:payouts`; correct by a new transfer.",
                "停止提现（`switchyard-worker payouts stop`）；对照未完成提现与 `house:payouts` 的转账；用一笔新的转账更正。",
            ),
            Self::PayoutStuck => (
                "Look at the payout's timeline and its chain transaction; re-drive `payouts.send`, or reject it while it is approved.",
                "查看提现的时间线及其链上交易；重新执行 `payouts.send`，或在已批准状态下拒绝它。",
            ),
            Self::TreasuryShort => (
                "Send money to a treasury wallet, or switch one on: payouts go on by themselves once it is read.",
                "向金库钱包转入资金或启用一个金库钱包：读取后提现会自动继续。",
            ),
        }
    }
}
