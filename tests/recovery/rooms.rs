//! The rooms behind recovery and watchdog, one rule at a time.

use std::collections::BTreeMap;

use arbalest::engine::recovery::{
    Adjustment, Holding, OpenOrder, Plan, Policy, Reading, Unexplained, VenueAnswer, compare,
};
use arbalest::engine::rescue::{Claim, Rescue, RescueOutput, RescueState};
use arbalest::exchanges::gateway::{AccountEvent, AccountQuery};
use arbalest::journal::Line;
use arbalest::ledger::Ledger;
use arbalest::market::{Catalogue, Instrument, InstrumentId, InstrumentStatus, VenueId};
use arbalest::trade::{
    ClientOrderId, OrderIdSource, OrderReport, ReportKind, SetId, Ticket, TimeInForce,
};
use arbalest::units::{Asset, Grid, MonoNanos, Nanos, Ppm, Price, Qty, Side, UnixNanos};
use rust_decimal::Decimal;
use std::sync::Arc;

const SPOT: InstrumentId = InstrumentId(0);
const PERP: InstrumentId = InstrumentId(1);
const IDS: OrderIdSource = OrderIdSource::new(7, 1_000);

fn number(text: &str) -> Decimal {
    text.parse().unwrap()
}
fn asset(code: &str) -> Asset {
    Asset::new(code).unwrap()
}

fn instrument(id: InstrumentId, venue: u8, symbol: &str) -> Instrument {
    Instrument {
        id,
        venue: VenueId(venue),
        symbol: symbol.parse().unwrap(),
        native: "BTCUSDT".into(),
        grid: Grid::new(2, 3).unwrap(),
        tick: Price(10),
        lot: Qty(1),
        qty_min: Qty(2),
        qty_max: Qty(1_000_000),
        notional_min: Decimal::from(5),
        notional_max: None,
        price_min: Price(0),
        price_max: None,
        multiplier: Decimal::ONE,
        status: InstrumentStatus::Trading,
        has_reduce_only: venue == 1,
        price_band: None,
    }
}

fn catalogue() -> Arc<Catalogue> {
    let all = vec![
        instrument(SPOT, 0, "BTC/USDT"),
        instrument(PERP, 1, "BTC/USDT:USDT"),
    ];
    Arc::new(Catalogue::new(vec!["spot".into(), "perp".into()], all).unwrap())
}

/// Spot and perpetual: what the venues say, and what the ledger has.
fn plan(
    policy: Policy,
    unexplained: Unexplained,
    (btc, usdt, perp): (&str, &str, i64),
    (held, cash, short): (&str, &str, i64),
    open: Vec<OpenOrder>,
) -> Plan {
    let catalogue = catalogue();
    let answers = [
        VenueAnswer {
            totals: [(asset("BTC"), number(btc)), (asset("USDT"), number(usdt))].into(),
            open,
            ..VenueAnswer::default()
        },
        VenueAnswer {
            positions: if perp == 0 {
                BTreeMap::new()
            } else {
                [(PERP, (Qty(perp), number("60000.123")))].into()
            },
            ..VenueAnswer::default()
        },
    ];
    let grid = Grid::new(2, 3).unwrap();
    let holdings = [
        Holding {
            qty: grid.qty_floor(number(held)).unwrap(),
            quantity: number(held),
            cash: number(cash),
            fees: BTreeMap::new(),
        },
        Holding {
            qty: Qty(short),
            quantity: grid.qty_decimal(Qty(short)),
            ..Holding::default()
        },
    ];
    let mut baselines = vec![
        Some(
            [
                (asset("BTC"), number("10")),
                (asset("USDT"), number("100000")),
            ]
            .into(),
        ),
        Some(BTreeMap::new()),
    ];
    let rows = compare(&catalogue, &holdings, &answers, &mut baselines);
    Plan::new(
        (policy, unexplained),
        &catalogue,
        IDS,
        (&rows, &holdings),
        &answers,
    )
}

#[test]
fn what_the_executions_explain_needs_nothing() {
    // Bought 0.5 (fee 0.0005 in kind) for 30000, sold 0.5 of the perpetual.
    let settled = plan(
        Policy::Adopt,
        Unexplained::Hold,
        ("10.4995", "70000", -500),
        ("0.4995", "-30000", -500),
        Vec::new(),
    );
    assert_eq!(settled, Plan::default());
    // A balance may be one lot off, cash a ten-thousandth; not more.
    for (btc, usdt, holds, cash) in [
        ("10.4985", "70000", 0, 0),
        ("10.4984", "70000", 1, 0),
        ("10.5005", "70000", 0, 0),
        ("10.5006", "70000", 1, 0),
        ("10.4995", "70007", 0, 0),
        ("10.4995", "70007.01", 0, 1),
        ("10.4995", "69992.99", 0, 1),
    ] {
        let found = plan(
            Policy::Adopt,
            Unexplained::Hold,
            (btc, usdt, -500),
            ("0.4995", "-30000", -500),
            Vec::new(),
        );
        assert_eq!(
            (found.holds.len(), found.cash.len()),
            (holds, cash),
            "{btc} {usdt}"
        );
        assert!(found.adjustments.is_empty());
    }
}

#[test]
fn a_difference_is_held_or_adjusted_by_policy() {
    let ask = |policy, unexplained| {
        plan(
            policy,
            unexplained,
            ("12", "100000", -500),
            ("0", "0", -200),
            Vec::new(),
        )
    };
    let held = ask(Policy::Adopt, Unexplained::Hold);
    assert_eq!(held.holds, [(PERP, number("-0.3")), (SPOT, number("2"))]);
    assert_eq!((held.adjustments.len(), held.flatten.len()), (0, 0));
    let position = Adjustment::Position {
        instrument: PERP,
        qty: Qty(-300),
        entry: number("60000.123"),
    };
    let balance = Adjustment::Balance {
        venue: VenueId(0),
        asset: asset("BTC"),
        amount: number("2"),
    };
    let adjusted = ask(Policy::Adopt, Unexplained::Adjust);
    assert_eq!(adjusted.adjustments, [position, balance]);
    assert!(adjusted.holds.is_empty());
    // What is to be closed must be in the ledger; money from outside is not ours to sell.
    let flattened = ask(Policy::Flatten, Unexplained::Hold);
    assert_eq!(flattened.adjustments, [position]);
    assert_eq!(flattened.holds, [(SPOT, number("2"))]);
    assert_eq!(flattened.flatten, [PERP]);
    assert_eq!(
        ask(Policy::Refuse, Unexplained::Hold).refused,
        Some((VenueId(1), 0, 1))
    );
    // A position that vanished has no price: a person decides.
    let gone = plan(
        Policy::Adopt,
        Unexplained::Adjust,
        ("10", "100000", 0),
        ("0", "0", -200),
        Vec::new(),
    );
    assert_eq!(gone.holds, [(PERP, number("0.2"))]);
}

#[test]
fn open_orders_are_ours_by_their_node_whatever_their_session() {
    let order = |id: Option<ClientOrderId>, venue_order_id| OpenOrder {
        instrument: SPOT,
        client_order_id: id,
        venue_order_id,
        side: Side::Buy,
        left: Qty(5),
    };
    let old = OrderIdSource::new(7, 3).id(SetId(9), 1, 0);
    let other = OrderIdSource::new(8, 1_000).id(SetId(9), 1, 0);
    let open = vec![order(Some(old), 1), order(Some(other), 2), order(None, 3)];
    let found = plan(
        Policy::Adopt,
        Unexplained::Hold,
        ("10", "100000", 0),
        ("0", "0", 0),
        open.clone(),
    );
    assert_eq!(found.cancels, [(VenueId(0), SPOT, old)]);
    assert_eq!(found.foreign, [(SPOT, 2), (SPOT, 3)]);
    assert!(!found.is_quiet());
    let refused = plan(
        Policy::Refuse,
        Unexplained::Hold,
        ("10", "100000", 0),
        ("0", "0", 0),
        open,
    );
    assert_eq!(refused.refused, Some((VenueId(0), 3, 0)));
}

fn line(seq: u64, record: &str) -> Line {
    Line {
        seq,
        time_ns: 1_700_000_000_000_000_000,
        text: format!("{{\"seq\":{seq},\"time_ns\":1700000000000000000,{record}}}"),
        crc: 0,
    }
}

const FILL: &str = r#""kind":"fill","time":1699999999000000000,"venue":"perp","symbol":"BTC/USDT:USDT","side":"sell","quantity":"0.5","price":"60000","fee":"1","fee_asset":"USDT","trade_id":77,"client_order_id":null,"liquidity":"taker","strategy":null"#;

#[test]
fn a_journal_is_read_back_or_its_record_is_named() {
    let catalogue = catalogue();
    let names = Vec::new();
    let started = r#""kind":"started","version":"1","config_hash":"x","epoch_secs":5000"#;
    let baseline =
        r#""kind":"baseline","venue":"perp","balances":{"USDT":"10"},"since":1699999990000000000"#;
    let funding = r#""kind":"funding","venue":"perp","symbol":"BTC/USDT:USDT","asset":"USDT","paid":"3","time":1699999999500000000,"balance":"97""#;
    let same_instant = &funding.replace("97", "94");

    let read = |records: &[&str]| {
        let mut reading = Reading::new(&catalogue, &names, vec![false; 2]);
        for (seq, record) in (1..).zip(records) {
            reading.take(&line(seq, record))?;
        }
        Ok::<_, arbalest::engine::recovery::HistoryError>(reading.finish())
    };
    let history = read(&[started, baseline, FILL, funding, same_instant, FILL]).unwrap();
    assert_eq!((history.fills.len(), history.fundings.len()), (1, 2));
    assert_eq!((history.sessions, history.last_epoch_secs), (1, 5_000));
    assert!(!history.stopped_in_order);
    let mut ledger = Ledger::new(Arc::clone(&catalogue));
    history.book(&mut ledger).unwrap();
    let position = ledger.position(PERP).unwrap();
    assert_eq!(position.qty(), number("-0.5"));
    assert_eq!(position.realized_pnl(), number("-7"), "fee and funding");
    // By trade id where one is known, else by time, but never before the baseline.
    let now = UnixNanos(1_700_000_100_000_000_000);
    let perp = catalogue.get(PERP).unwrap();
    assert_eq!(history.question(perp, now).from_id, 77);
    let no_fill = read(&[started, baseline]).unwrap();
    let question = no_fill.question(perp, now);
    assert_eq!(
        (question.from_id, question.since.0),
        (0, 1_699_999_990_000_000_000)
    );
    // Records were lost: everything is asked for again, until a start has matched.
    let lost = r#""kind":"not_recorded","count":3"#;
    let matched = r#""kind":"recovered","matched":true"#;
    let gaps = read(&[started, baseline, FILL, lost]).unwrap();
    assert_eq!(gaps.question(perp, now), question);
    let mended = read(&[started, baseline, FILL, lost, matched]).unwrap();
    assert_eq!(mended.question(perp, now).from_id, 77);
    assert_eq!(read(&[]).unwrap().question(perp, now).since, now);

    for (from, to, what) in [
        ("\"sell\"", "\"sideways\"", "sideways"),
        ("\"0.5\"", "\"0.5005\"", "does not fit the grid"),
        ("\"60000\"", "\"x\"", ""),
        ("null,\"liq", "\"manual\",\"liq", "manual"),
        (
            "\"fee_asset\":\"USDT\"",
            "\"fee_asset\":\"?\"",
            "asset code",
        ),
    ] {
        let bad = FILL.replacen(from, to, 1);
        assert_ne!(bad, FILL);
        let error = read(&[started, &bad]).unwrap_err();
        assert_eq!(error.seq, 2);
        assert!(error.to_string().contains(what), "{error}");
    }
    // Of a simulated account nothing is left; of an unknown symbol nothing is ours.
    let elsewhere = FILL.replace("BTC/USDT:USDT", "ETH/USDT:USDT");
    assert_eq!(read(&[&elsewhere]).unwrap().fills_elsewhere, 1);
    let mut reading = Reading::new(&catalogue, &names, vec![true; 2]);
    for (seq, record) in (1..).zip([started, baseline, FILL]) {
        reading.take(&line(seq, record)).unwrap();
    }
    let fresh = reading.finish();
    assert_eq!((fresh.fills.len(), fresh.fills_elsewhere), (0, 1));
    assert_eq!(fresh.baselines, [None, None]);
}

/// A rescue and the venue it talks to, in the hands of a test.
struct Scene {
    rescue: Rescue,
    now: MonoNanos,
    baseline: Option<BTreeMap<Asset, Decimal>>,
    own: Option<BTreeMap<Asset, Decimal>>,
    position: i64,
    btc: &'static str,
    open: u64,
    sent: Vec<Ticket>,
    cancels: usize,
    queries: usize,
    /// The venue answers no balance.
    mute: bool,
}

impl Scene {
    fn new(id: InstrumentId, dry_run: bool) -> Self {
        let one = catalogue().get(id).unwrap().clone();
        Self {
            rescue: Rescue::new(vec![one], IDS, Ppm::from_bps(50), dry_run),
            now: MonoNanos(1_000_000_000),
            baseline: Some([(asset("BTC"), number("10"))].into()),
            own: None,
            position: 0,
            btc: "10",
            open: 0,
            sent: Vec::new(),
            cancels: 0,
            queries: 0,
            mute: false,
        }
    }

    /// A tenth of a second; the venue answers everything at once.
    fn tick(&mut self, gone: bool) {
        self.now = self.now.after(Nanos::from_millis(100));
        let mut out = Vec::new();
        let claim = Claim {
            baseline: self.baseline.as_ref(),
            own: self.own.as_ref(),
        };
        self.rescue.on_timer(gone, claim, self.now, &mut out);
        for output in out {
            match output {
                RescueOutput::Ask(AccountQuery::OpenOrders) => {
                    for _ in 0..self.open {
                        self.rescue.on_event(&AccountEvent::OpenOrder {
                            instrument: PERP,
                            client_order_id: None,
                            venue_order_id: 1,
                            side: Side::Buy,
                            price: Price(1),
                            qty: Qty(1),
                            filled: Qty(0),
                        });
                    }
                    self.rescue
                        .on_event(&AccountEvent::SnapshotDone(AccountQuery::OpenOrders));
                }
                RescueOutput::Ask(AccountQuery::Balances) if self.mute => {}
                RescueOutput::Query(..) => self.queries += 1,
                RescueOutput::Ask(query) => {
                    if query == AccountQuery::Positions && self.position != 0 {
                        self.rescue.on_event(&AccountEvent::Position {
                            instrument: PERP,
                            qty: Qty(self.position),
                            entry: Decimal::ONE,
                        });
                    }
                    if query == AccountQuery::Balances {
                        self.rescue.on_event(&AccountEvent::Balance {
                            asset: asset("BTC"),
                            free: number(self.btc),
                            locked: Decimal::ZERO,
                        });
                    }
                    self.rescue.on_event(&AccountEvent::SnapshotDone(query));
                }
                RescueOutput::CancelAll(_) => self.cancels += 1,
                RescueOutput::Quote(id) => {
                    self.rescue
                        .on_quote(id, Price(6_000_000), Price(6_000_100), self.now);
                }
                RescueOutput::Place(ticket) => self.sent.push(ticket),
                RescueOutput::Say(_) => {}
            }
        }
    }
    fn ticks(&mut self, count: usize, gone: bool) {
        for _ in 0..count {
            self.tick(gone);
        }
    }
    fn balance(&mut self, btc: &str) {
        for event in [
            AccountEvent::Balance {
                asset: asset("BTC"),
                free: number(btc),
                locked: Decimal::ZERO,
            },
            AccountEvent::SnapshotDone(AccountQuery::Balances),
        ] {
            self.rescue.on_event(&event);
        }
    }
    fn end(&mut self, ticket: &Ticket, filled: i64) {
        let kind = ReportKind::Done {
            filled: Qty(filled),
            complete: false,
        };
        self.report(ticket, kind);
    }
    fn report(&mut self, ticket: &Ticket, kind: ReportKind) {
        self.rescue.on_report(&OrderReport {
            venue: VenueId(1),
            instrument: ticket.instrument,
            client_order_id: Some(ticket.client_order_id),
            kind,
            venue_time: UnixNanos(0),
            received_at: self.now,
        });
    }
}

#[test]
fn a_rescue_cancels_first_and_closes_by_the_venues_word() {
    let mut scene = Scene::new(PERP, false);
    scene.position = -300;
    scene.open = 2;
    scene.ticks(50, false);
    assert_eq!(
        (scene.cancels, scene.sent.len()),
        (0, 0),
        "the engine lives"
    );
    scene.ticks(20, true);
    assert!(scene.cancels >= 2, "again while the venue lists some");
    assert_eq!(
        (scene.sent.len(), scene.rescue.state()),
        (0, RescueState::Cancelling)
    );
    scene.open = 0;
    scene.ticks(20, true);
    let [first] = scene.sent[..] else {
        panic!("one order at a time: {:?}", scene.sent)
    };
    assert_eq!((first.side, first.qty), (Side::Buy, Qty(300)));
    assert_eq!(
        (first.reduce_only, first.time_in_force),
        (true, TimeInForce::ImmediateOrCancel)
    );
    // 60001 and 50 bps are 60301.005: down to the tick of 0.10.
    assert_eq!(first.limit_price, Price(6_030_100));
    // A part filled: the next is for what the venue then says, not for what we believe.
    scene.position = -120;
    scene.end(&first, 180);
    scene.ticks(10, true);
    assert_eq!(scene.sent.len(), 2);
    assert_eq!(scene.sent[1].qty, Qty(120));
    assert_ne!(scene.sent[1].client_order_id, first.client_order_id);
    // No answer at all: after five seconds the venue is asked, and nothing was sent meanwhile.
    scene.ticks(35, true);
    assert_eq!(scene.sent.len(), 2);
    scene.position = 0;
    scene.ticks(30, true);
    assert_eq!(
        (scene.sent.len(), scene.rescue.state()),
        (2, RescueState::Flat)
    );
    // The engine is back: nothing more, whatever it opens.
    scene.position = 500;
    scene.ticks(600, false);
    assert_eq!(
        (scene.sent.len(), scene.rescue.state()),
        (2, RescueState::Watching)
    );
    scene.ticks(20, true);
    assert_eq!(
        (scene.sent[2].side, scene.sent[2].qty),
        (Side::Sell, Qty(500))
    );
    assert_eq!(scene.sent[2].limit_price, Price(5_970_000));
}

#[test]
fn of_a_spot_account_only_the_surplus_is_sold() {
    for (btc, sold) in [
        ("10.5", Some(500)),
        ("10.0019", None),
        ("10", None),
        ("9", None),
    ] {
        let mut scene = Scene::new(SPOT, false);
        scene.btc = btc;
        scene.ticks(30, true);
        let found = scene.sent.first().map(|ticket| {
            assert_eq!(ticket.side, Side::Sell);
            ticket.qty.0
        });
        assert_eq!(found, sold, "{btc}");
    }
    // Without a baseline nobody knows what is ours.
    let mut scene = Scene::new(SPOT, false);
    scene.btc = "10.5";
    scene.baseline = None;
    scene.ticks(30, true);
    assert!(scene.sent.is_empty());
}

/// What came to the account by other ways than our orders is not ours, however often it is looked at.
#[test]
fn a_deposit_is_not_sold() {
    for (own, btc, sold) in [
        // Half a coin is ours, five were deposited.
        ("0.5", "15.5", &[500][..]),
        ("0.5", "10.5", &[500]),
        // Part of ours is on its way or was never bought: not more than is there.
        ("0.5", "10.2", &[200]),
        ("0", "15", &[]),
        ("-2", "13", &[]),
    ] {
        let mut scene = Scene::new(SPOT, false);
        (scene.btc, scene.own) = (btc, Some([(asset("BTC"), number(own))].into()));
        scene.ticks(30, true);
        // Sold in two parts: each look finds the deposit again.
        if let Some(first) = scene.sent.first().copied() {
            let half = first.qty.0.div_euclid(2);
            scene.end(&first, half);
            scene.btc = match btc {
                "15.5" => "15.25",
                "10.5" => "10.25",
                _ => "10.1",
            };
            scene.ticks(30, true);
            let second = scene.sent[1];
            assert_eq!(second.qty.0, half, "{own} {btc}");
            scene.end(&second, half);
            scene.btc = if btc == "15.5" { "15" } else { "10" };
            scene.ticks(60, true);
            assert_eq!(scene.sent.len(), 2, "{own} {btc}");
        }
        let first = scene.sent.first().map(|ticket| ticket.qty.0);
        assert_eq!(first, sold.first().copied(), "{own} {btc}");
        assert_eq!(scene.rescue.state(), RescueState::Flat);
    }
}

#[test]
fn a_spot_order_without_an_end_is_sought_and_not_sent_again() {
    for unknown in [true, false] {
        let mut scene = Scene::new(SPOT, false);
        // The balance lags: the sale is filled, and the account still shows the coins.
        scene.btc = "10.5";
        scene.ticks(20, true);
        let [first] = scene.sent[..] else {
            panic!("one order: {:?}", scene.sent)
        };
        if unknown {
            scene.report(&first, ReportKind::Unknown);
            scene.ticks(10, true);
            assert_eq!(scene.queries, 1, "at once");
        }
        scene.ticks(300, true);
        assert!(scene.queries > 5);
        for _ in 0..10 {
            // The question failed: nothing is known.
            scene.report(&first, ReportKind::Unknown);
            scene.ticks(10, true);
        }
        assert_eq!(scene.sent.len(), 1, "the same coins are not sold twice");
        // Filled after all; only a balance that was asked for afterwards counts.
        scene.btc = "10";
        scene.end(&first, 500);
        scene.ticks(30, true);
        assert_eq!(
            (scene.sent.len(), scene.rescue.state()),
            (1, RescueState::Flat)
        );
    }
    // It never was: told again and again, after the venue can no longer take it.
    let mut scene = Scene::new(SPOT, false);
    scene.btc = "10.5";
    scene.ticks(20, true);
    let first = scene.sent[0];
    scene.report(&first, ReportKind::Unknown);
    for _ in 0..5 {
        scene.report(&first, ReportKind::NotFound);
    }
    scene.ticks(60, true);
    assert_eq!(scene.sent.len(), 1, "it may still be on its way");
    for _ in 0..3 {
        assert_eq!(scene.sent.len(), 1);
        scene.report(&first, ReportKind::NotFound);
    }
    scene.ticks(20, true);
    assert_eq!(scene.sent.len(), 2);
}

#[test]
fn an_answer_from_before_an_action_does_not_count() {
    let mut scene = Scene::new(SPOT, false);
    (scene.btc, scene.mute) = ("10.5", true);
    // A question of the watch is under way when the engine dies; the account was another one then.
    scene.ticks(1, false);
    scene.ticks(20, true);
    scene.balance("99");
    scene.mute = false;
    scene.ticks(20, true);
    let sold: Vec<i64> = scene.sent.iter().map(|ticket| ticket.qty.0).collect();
    assert_eq!(sold, [500]);
}

#[test]
fn a_dry_run_touches_nothing() {
    let mut scene = Scene::new(PERP, true);
    (scene.position, scene.open) = (700, 3);
    scene.ticks(100, true);
    assert_eq!((scene.cancels, scene.sent.len()), (0, 0));
}
