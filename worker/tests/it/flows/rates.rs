//! The rate is read from sources that fail and lie, and what customers pay in is exchanged at it: once, or later, or not.

use jobs::JobKind;
use kernel::{Asset, UserId};
use serde_json::{Value, json};

use crate::harness::{Does, Market, NETWORK, Payer, Rig, Says, Sent, TRX, address_of};

const USER: UserId = UserId(1);
/// What 0.25 USDT for a TRX makes.
const RATE: i64 = 4_000_000;

impl Rig {
    /// A service that exchanges deposits and asks these sources.
    async fn exchanging(markets: &[&Market]) -> Self {
        let mut rig = Self::new().await;
        rig.world.exchange = true;
        rig.world.rate_sources = markets.iter().map(|market| market.source()).collect();
        rig
    }

    /// A tick of the schedule, and what comes of it.
    async fn read_rates(&self) {
        self.clock.advance(10);
        self.ask(JobKind::RatesRead, "all").await;
        self.quiesce().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sources_that_fail_and_lie_stop_exchanges_and_never_set_a_rate() {
    let (one, other) = (
        Market::start("one", "0.25").await,
        Market::start("other", "0.2501").await,
    );
    let rig = Rig::exchanging(&[&one, &other]).await;
    for kind in ["rates.stale", "rates.refused"] {
        rig.expect_finding(kind);
    }
    let _worker = rig.start(Does::Everything);
    rig.read_rates().await;
    // 1 / 0.2501 is the lower rate
    assert_eq!(rig.rates().await["rate"]["rate"], json!("3.998400"));
    for lie in [
        Says::Status(500),
        Says::To("http://127.0.0.1:1/".to_owned()),
        Says::Giant,
        Says::Body(r#"{"data":[{"last":NaN}]}"#.to_owned()),
        Says::Body(r#"{"data":[{"last":"1e9"}]}"#.to_owned()),
        Says::Body(r#"{"data":[{"last":-0.25}]}"#.to_owned()),
        Says::Body("<html>0.25</html>".to_owned()),
    ] {
        other.say(lie.clone());
        rig.read_rates().await;
        assert_eq!(
            rig.rates().await["rate"]["rate"],
            json!("3.998400"),
            "the last good one: {lie:?}"
        );
    }
    assert!(rig.open_findings().await.is_empty());
    rig.clock.advance(300);
    rig.read_rates().await;
    assert_eq!(rig.rates().await["none_because"], json!("stale"));
    for lie in ["0.3", "0.0000001", "1000000"] {
        other.price(lie);
        rig.read_rates().await;
        assert_eq!(rig.rates().await["rate"], Value::Null, "{lie}");
    }
    rig.credit_usdt(USER, 10).await;
    assert_eq!(rig.swap(USER, "10").await.unwrap_err(), "rate_unavailable");
    other.price("0.25");
    rig.read_rates().await;
    let done = rig.swap(USER, "10").await.unwrap();
    assert_eq!(done["to"]["amount"], json!("40.000000"));
    assert!(rig.open_findings().await.is_empty());
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn usdt_that_is_paid_in_is_credited_and_exchanged_once() {
    let (one, other) = (Market::start("one", "0.25").await, Market::start("other", "0.25").await);
    let rig = Rig::exchanging(&[&one, &other]).await;
    rig.expect_finding("rates.stale");
    let worker = rig.start(Does::Everything);
    let before = rig.balance(USER).await;
    let payer = Payer::new(&rig);
    let to = address_of(&rig.announce(1, "USDT", "address", None).await);
    // there is no rate yet: it is credited, and waits
    payer.pay(&rig, to, Sent::Usdt(7 * TRX)).await;
    rig.until("it is credited", async || {
        rig.transfers().await == ["credited plain"] || rig.transfers().await == ["credited exact"]
    })
    .await;
    assert_eq!(rig.balance_of(USER, Asset::Usdt).await, 7 * TRX);
    assert_eq!(rig.exchanges(USER).await[0]["state"], json!("pending"));
    rig.read_rates().await;
    assert_eq!(rig.balance_of(USER, Asset::Usdt).await, 0);
    assert_eq!(rig.balance(USER).await - before, 7 * RATE);

    // with a rate: at once, however often the job is run
    payer.pay(&rig, to, Sent::Usdt(3 * TRX)).await;
    rig.until("it is exchanged", async || {
        let all = rig.transfers().await;
        all.len() == 2 && all.iter().all(|line| line.starts_with("credited"))
    })
    .await;
    worker.kill().await;
    let _workers = [rig.start(Does::Everything), rig.start(Does::Everything)];
    for _ in 0..3 {
        rig.ask(JobKind::DepositsCredit, NETWORK).await;
        rig.ask(JobKind::DepositsExchange, "all").await;
    }
    rig.quiesce().await;
    assert_eq!(rig.balance(USER).await - before, 10 * RATE);
    assert_eq!(rig.balance_of(USER, Asset::Usdt).await, 0);
    assert_eq!(
        rig.count("SELECT count(*) AS n FROM ledger_transfers WHERE reason = 'exchange'")
            .await,
        4
    );
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_sets_a_rate_by_command_and_takes_it_back() {
    let (rig, _worker) = Rig::with_worker().await;
    let said = async |words: &[&str]| {
        let output = rig.command(words).await;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        (output.status.success(), text + &String::from_utf8_lossy(&output.stderr))
    };
    let (good, text) = said(&["rates", "show"]).await;
    assert!(good && text.contains("there is no rate: stale"), "{text}");
    let set = ["rates", "set", "3.52", "--for", "30m", "--operator", "anna"];
    let (good, text) = said(&set).await;
    assert!(!good && text.contains("reason"), "{text}");
    let beyond = [
        "rates",
        "set",
        "25",
        "--for",
        "30m",
        "--operator",
        "anna",
        "--reason",
        "x",
    ];
    let (good, text) = said(&beyond).await;
    assert!(!good && text.contains("between 1.000000 and 20.000000"), "{text}");
    let (good, text) = said(&[set.as_slice(), &["--reason", "sources are down"]].concat()).await;
    assert!(good && text.contains("1 of 1 set"), "{text}");
    assert_eq!(rig.rates().await["rate"]["source"], json!("manual"));
    let (good, text) = said(&["rates", "show"]).await;
    assert!(
        good && text.contains("1 USDT = 3.520000 TRX") && text.contains("by hand until"),
        "{text}"
    );
    let (good, text) = said(&["rates", "show", "--json"]).await;
    assert!(good && text.contains("\"sun_per_usdt\": 3520000"), "{text}");
    let (good, text) = said(&["rates", "read"]).await;
    assert!(!good && text.contains("nobody to ask"), "{text}");
    let (good, text) = said(&["rates", "clear", "--operator", "anna", "--reason", "they are back"]).await;
    assert!(good && text.contains("1 of 1 taken back"), "{text}");
    assert_eq!(rig.rates().await["rate"], Value::Null);
    let (good, text) = said(&["actions", "--json"]).await;
    assert!(
        good && text.contains("rates.set") && text.contains("rates.clear"),
        "{text}"
    );
    rig.judge().await;
}
