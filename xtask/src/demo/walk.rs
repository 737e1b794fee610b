//! The walk-through, in the ways that an operator and a bot have: prices and a key by command, wallets, a deposit and
//! orders over HTTP. Nothing here reaches into the product.

use anyhow::{Context, Result};

use super::deposits::{self, Paid};
use super::orders::{self, OrderView, Plan, RECEIVERS};
use super::screen::{Screen, short};
use crate::interrupt::Interrupt;
use crate::stage::children::Children;
use crate::stage::wait::Waiting;
use crate::stage::{Stage, shop};

/// The customer: a bot's number for one of its users.
pub(crate) const USER: i64 = 10_001;
const WALLETS: usize = 2;
/// TRX staked per wallet: at the network's ratio about 3 million energy, and the bandwidth for hundreds of delegations.
const ENERGY_STAKE_TRX: i64 = 350_000;
const BANDWIDTH_STAKE_TRX: i64 = 100_000;
const DEPOSIT_TRX_PER_ORDER: i64 = 100;
const DEPOSIT_USDT: i64 = 25;

/// What the walk needs.
pub(crate) struct Walk<'a> {
    pub(crate) stage: &'a mut Stage,
    pub(crate) children: &'a Children,
    pub(crate) interrupt: &'a Interrupt,
    pub(crate) waiting: &'a Waiting<'a>,
    pub(crate) screen: &'a mut Screen,
}

/// What the walk did.
pub(crate) struct Walked {
    pub(crate) deposits: Vec<Paid>,
    pub(crate) orders: Vec<(Plan, OrderView)>,
    pub(crate) replay: String,
    pub(crate) wallets: Vec<String>,
}

impl Walk<'_> {
    /// Sets the shop up, places `count` orders and shows them until they are over.
    pub(crate) fn run(mut self, count: usize) -> Result<Walked> {
        self.prices()?;
        self.api_key()?;
        let wallets = self.wallets()?;
        for receiver in RECEIVERS {
            self.stage.devnet.fund(receiver, 10)?;
        }
        let deposits = self.deposit(count)?;
        let (mut orders, replay) = self.place(count)?;
        self.watch(&mut orders)?;
        Ok(Walked {
            deposits,
            orders,
            replay,
            wallets,
        })
    }

    fn prices(&mut self) -> Result<()> {
        shop::publish_prices(self.stage, self.interrupt, self.children, "demo")?;
        self.screen
            .line("• price table published with `switchyard-worker prices publish` 发布价格表");
        Ok(())
    }

    fn api_key(&mut self) -> Result<()> {
        let key = shop::create_api_key(self.stage, self.interrupt, self.children, ("demo", 100_000))?;
        self.stage.api.api_key = Some(key);
        self.screen
            .line("• API key made with `switchyard-worker api-key create` 创建 API 密钥");
        Ok(())
    }

    /// Brings wallets in by their private keys, has them funded and staked, and waits until the workers have read them.
    fn wallets(&mut self) -> Result<Vec<String>> {
        let stage = &*self.stage;
        let mut wallets = Vec::with_capacity(WALLETS);
        for _ in 0..WALLETS {
            let id = shop::add_wallet(stage, &shop::private_key()?, "demo")?;
            let what = "a worker opens the imported key";
            let address = self.waiting.until(self.children, what, || {
                let wallet = shop::wallet(stage, &id)?;
                Ok(wallet.address.filter(|_| wallet.state == "active"))
            })?;
            stage.devnet.fund(&address, 1_000)?;
            stage.devnet.stake(&address, "ENERGY", ENERGY_STAKE_TRX)?;
            stage.devnet.stake(&address, "BANDWIDTH", BANDWIDTH_STAKE_TRX)?;
            wallets.push((id, address));
        }
        shop::read_wallets(stage)?;
        let what = "the workers read the wallets' stake from the chain";
        self.waiting.until(self.children, what, || {
            for (id, _) in &wallets {
                let wallet = shop::wallet(stage, id)?;
                if orders::micro(&wallet.delegatable)? == 0 || wallet.bandwidth_available < BANDWIDTH_STAKE_TRX {
                    return Ok(None);
                }
            }
            Ok(Some(()))
        })?;
        let addresses: Vec<String> = wallets.into_iter().map(|(_, address)| address).collect();
        let shown: Vec<String> = addresses.iter().map(|address| short(address)).collect();
        self.screen.line(&format!(
            "• supplier wallets {} imported over the API, {ENERGY_STAKE_TRX} TRX staked each 导入供应商钱包并质押",
            shown.join(" and ")
        ));
        Ok(addresses)
    }

    /// Has the customer pay in on the chain, and waits until the blocks are final and he has the money.
    fn deposit(&mut self, count: usize) -> Result<Vec<Paid>> {
        let (stage, screen) = (&*self.stage, &mut *self.screen);
        let trx = DEPOSIT_TRX_PER_ORDER * i64::try_from(count)?;
        let mut paid = Vec::new();
        for (of, amount) in [(("TRX", "address"), trx), (("USDT", "amount"), DEPOSIT_USDT)] {
            paid.push(deposits::pay(stage, deposits::announce(stage, USER, of, amount)?)?);
        }
        screen.line(&format!(
            "• user {USER} announced deposits over the API, and somebody paid them on the chain 用户链上充值"
        ));
        let what = "every deposit is credited";
        self.waiting.until(self.children, what, || {
            for one in paid.iter_mut().filter(|one| !one.is_credited()) {
                one.again(stage)?;
            }
            let rows: Vec<String> = paid.iter().map(Paid::row).collect();
            screen.table(&deposits::header(), &rows, &stage.devnet.clock()?);
            Ok(paid.iter().all(Paid::is_credited).then_some(()))
        })?;
        for one in &mut paid {
            deposits::tell(stage, USER, one)?;
        }
        screen.line(
            "• credited once the blocks were final; told again by txid, nothing more came of it 最终确认后入账，且只入账一次",
        );
        Ok(paid)
    }

    /// Places every order, and the first one twice.
    fn place(&mut self, count: usize) -> Result<(Vec<(Plan, OrderView)>, String)> {
        let mut placed = Vec::with_capacity(count);
        for plan in orders::plans(count) {
            let order = orders::place(&self.stage.api, USER, &plan)?;
            placed.push((plan, order));
        }
        let (plan, _) = placed.first().context("no order")?;
        let replay = orders::place(&self.stage.api, USER, plan)?.id;
        self.screen.line(&format!(
            "• {count} orders placed; the last goes to an address that is not activated, the first was sent twice 下单\n"
        ));
        Ok((placed, replay))
    }

    fn watch(&mut self, placed: &mut [(Plan, OrderView)]) -> Result<()> {
        let (api, devnet, screen) = (&self.stage.api, &self.stage.devnet, &mut *self.screen);
        let header = orders::header();
        let what = "every order comes to its end";
        self.waiting.until(self.children, what, || {
            for (_, order) in placed.iter_mut().filter(|(_, order)| !order.is_over()) {
                *order = order.again(api)?;
            }
            let rows: Vec<String> = placed.iter().map(|(plan, order)| order.row(plan)).collect();
            screen.table(&header, &rows, &devnet.clock()?);
            Ok(placed.iter().all(|(_, order)| order.is_over()).then_some(()))
        })
    }
}
