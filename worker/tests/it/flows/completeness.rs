//! Twenty thousand payments over two thousand blocks, while nodes fail in every way we know and forks replace up to
//! nineteen blocks at a time: each payment that stayed on the chain is credited once, and no other.

use std::collections::BTreeMap;
use std::time::Instant;

use ::chain::{BlockRef, ChainClient, TronAddress};
use ::devnet::{Fault, FaultRule, ForkKeep, Match};
use chrono::TimeDelta;
use futures::StreamExt;
use kernel::{Asset, UserId};
use tokio_util::sync::CancellationToken;

use crate::harness::{Does, Payer, Rig, Sent, TRX, address_of, environment, watcher};

const ADDRESSES: usize = 500;
const BLOCKS: usize = 2_000;
const PER_BLOCK: usize = 10;
/// A fork after so many blocks: two hundred in all.
const FORK_EVERY: usize = 10;
/// As on the main network, about: a fork may replace up to one less.
const SOLID_LAG: u64 = 20;
/// Customers begin here; the rig's own users come before.
const FIRST_USER: i64 = 1_000;

/// A payment that was sent, and that no fork has lost.
struct Sending {
    user: i64,
    what: Sent,
}

/// One call in twenty fails, of those that reading blocks takes: each of these once in so many calls.
const FAULTS: [(&str, u64); 3] = [
    ("getblockbylimitnext", 160),
    ("gettransactioninfobyblocknum", 160),
    ("getnowblock", 140),
];

fn fail_in_every_way(rig: &Rig) {
    let status = |status: u16, body: &str| Fault::HttpStatus {
        status,
        body: body.into(),
    };
    let faults = [
        status(429, "slow down"),
        status(
            403,
            "The key exceeds the frequency limit(15), and the query server is suspended for 30s",
        ),
        status(503, ""),
        status(200, "{}"),
        status(200, "[]"),
        Fault::TruncateJson,
        Fault::DropConnection { processed: true },
    ];
    for (path, every) in FAULTS {
        let own = match path {
            "gettransactioninfobyblocknum" => vec![Fault::MissingLogs, Fault::MissingInfos],
            "getnowblock" => vec![Fault::StaleHead { by: 5 }],
            _ => Vec::new(),
        };
        for (place, fault) in (1_u64..).zip(faults.iter().cloned().chain(own)) {
            let on = Match {
                path: Some(path.into()),
                nth: Some(place * 13),
                every: Some(every),
                ..Match::default()
            };
            rig.devnet.add_fault(FaultRule { on, fault }).unwrap();
        }
    }
}

/// Everybody's own address.
async fn addresses(rig: &Rig) -> Vec<TronAddress> {
    let users = (FIRST_USER..).take(ADDRESSES);
    let announced = futures::stream::iter(users).map(|user| rig.announce(user, "TRX", "address", None));
    announced
        .buffered(8)
        .map(|deposit| address_of(&deposit))
        .collect()
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn of_twenty_thousand_payments_each_that_stays_on_the_chain_is_credited_once() {
    let rig = Rig::solid_after(SOLID_LAG).await;
    let to = addresses(&rig).await;
    let payers: Vec<Payer> = (0..8).map(|_| Payer::new(&rig)).collect();
    let node = rig.node();
    let _jobs = rig.start(Does::OnlyJobs);
    let env = environment(&rig.world).await;
    let stop = CancellationToken::new();
    let watchers = ["one", "two"].map(|name| {
        // leases that are over at once keep nobody away: only the cursor's own guard is left
        let watcher = watcher(&env, name.into(), TimeDelta::zero());
        tokio::spawn(watcher.run(stop.clone()))
    });
    fail_in_every_way(&rig);

    let (started, calls, first) = (Instant::now(), rig.reading_calls(), rig.devnet.head());
    let mut stays: BTreeMap<String, Sending> = BTreeMap::new();
    // what each block carries
    let mut carried: Vec<Vec<String>> = Vec::new();
    let (mut lost, mut lag, mut asked) = (0, 0, 0);
    for block in 0..BLOCKS {
        let (solid, tries) = rig.solid_head().await;
        asked += tries;
        let wishes = (0..PER_BLOCK).map(|n| wish(&to, block * PER_BLOCK + n));
        let sent = futures::stream::iter(wishes).map(async |(user, to, what)| {
            let payer = &payers[usize::try_from(user).unwrap() % payers.len()];
            let txid = payer.send(&rig, &node, &solid, (to, what, "")).await;
            (txid, Sending { user, what })
        });
        let sent: Vec<(String, Sending)> = sent.buffer_unordered(4).collect().await;
        carried.push(sent.iter().map(|(txid, _)| txid.clone()).collect());
        stays.extend(sent);
        rig.mine(1);
        if block % FORK_EVERY == FORK_EVERY - 1 {
            let depth = 1 + (block / FORK_EVERY) % 19;
            let replaced = carried.split_off(carried.len() - depth);
            // of each block that is replaced, one payment never comes back; the first new block carries the others
            let gone: Vec<String> = replaced.iter().filter_map(|of| of.first().cloned()).collect();
            carried.push(replaced.into_iter().flat_map(|of| of.into_iter().skip(1)).collect());
            carried.extend(std::iter::repeat_n(Vec::new(), depth));
            for txid in &gone {
                assert!(stays.remove(txid).is_some());
            }
            lost += gone.len();
            rig.clock.advance(3);
            let keep = ForkKeep::DropTxids(gone);
            rig.devnet.fork(u64::try_from(depth).unwrap(), &keep).unwrap();
        }
        lag = lag.max(rig.behind().await);
        assert_eq!(rig.count(CREDITED_EARLY).await, 0, "credited and not final");
    }
    let sent_in = started.elapsed();
    let blocks = rig.devnet.head() - first;
    let (behind, since) = (rig.behind().await, Instant::now());
    rig.devnet.clear_faults();
    rig.mine(SOLID_LAG + 1);
    rig.meanwhile("all blocks are read", async || rig.behind().await == 0)
        .await;
    let caught_up_in = since.elapsed();
    let calls = rig.reading_calls() - calls - asked;
    rig.until("all is decided", async || rig.count(SEEN).await == 0).await;
    stop.cancel();
    for watcher in watchers {
        watcher.await.unwrap();
    }
    let _watching = rig.start(Does::OnlyWatching);
    println!(
        "{blocks} blocks and 200 forks in {sent_in:?}: {} payments stay, {lost} are lost; {:.2} calls a block by two watchers; \
         at most {lag} blocks behind, at the end {behind}, read in {caught_up_in:?}",
        stays.len(),
        calls as f64 / blocks as f64,
    );
    booked_are(&rig, &stays).await;
    rig.judge().await;
}

const CREDITED_EARLY: &str = "SELECT count(*) AS n FROM incoming_transfers t JOIN chain_cursors c USING (network) \
    WHERE t.state = 'credited' AND t.block_number > c.solid_number";
const SEEN: &str = "SELECT count(*) AS n FROM incoming_transfers WHERE state = 'seen'";

/// What is credited, transfer by transfer and user by user, is what stayed.
async fn booked_are(rig: &Rig, stays: &BTreeMap<String, Sending>) {
    let credited = "SELECT txid AS line FROM incoming_transfers WHERE state = 'credited' ORDER BY txid COLLATE \"C\"";
    let credited = rig.lines(credited).await;
    assert!(
        credited.iter().eq(stays.keys()),
        "{} credited, {} sent",
        credited.len(),
        stays.len()
    );
    assert_eq!(
        rig.count("SELECT count(*) AS n FROM ledger_transfers WHERE event LIKE 'deposit:%:credit'")
            .await,
        i64::try_from(stays.len()).unwrap()
    );
    let mut sums: BTreeMap<i64, [i64; 2]> = BTreeMap::new();
    for sending in stays.values() {
        let sum = sums.entry(sending.user).or_default();
        match sending.what {
            Sent::Trx(amount) | Sent::TrxByContract(amount) => sum[0] += amount,
            Sent::Usdt(amount) => sum[1] += amount,
        }
    }
    for (user, sum) in sums {
        let user = UserId(user);
        let has = [
            rig.balance_of(user, Asset::Trx).await,
            rig.balance_of(user, Asset::Usdt).await,
        ];
        assert_eq!(has, sum, "user {user:?}");
    }
}

/// The `n`th payment: by whom, to where, and what.
fn wish(to: &[TronAddress], n: usize) -> (i64, TronAddress, Sent) {
    let whose = (n * 7) % to.len();
    let amount = TRX + i64::try_from(n).unwrap();
    let what = if n.is_multiple_of(2) {
        Sent::Trx(amount)
    } else {
        Sent::Usdt(amount)
    };
    (FIRST_USER + i64::try_from(whose).unwrap(), to[whose], what)
}

impl Rig {
    /// Calls to the node that are not broadcasts.
    fn reading_calls(&self) -> u64 {
        self.devnet.total_calls() - self.devnet.calls("/wallet/broadcasthex")
    }

    /// The solidified head, and how many calls it took.
    async fn solid_head(&self) -> (BlockRef, u64) {
        let mut tries = 0;
        loop {
            tries += 1;
            // a client that remembers no failure
            if let Ok(solid) = self.node().solid_head().await {
                return (solid, tries);
            }
        }
    }

    /// How many blocks the newest one is ahead of what is applied; 0 before a watcher has looked for the first time.
    async fn behind(&self) -> i64 {
        let head = self.devnet.head();
        let applied = format!("SELECT coalesce(max(head_number), {head}) AS n FROM chain_cursors");
        head - self.count(&applied).await
    }
}
