//! A desk with a real gate in front of it and live books beside it, and reports made by hand.

use std::sync::Arc;

use arbalest::execution::{
    BrokenSet, CommandAction, Desk, DeskAlertKind, DeskOutput, DeskParams, LegOutcome, OnBroken,
    OrderCommand, RepairMarket, RepairPlan, RepairRules, SetSummary, plan_repair,
};
use arbalest::market::{Books, Catalogue, Instrument, InstrumentId};
use arbalest::risk::{
    Gate, InstrumentLimits, InstrumentRisk, Limits, RiskView, SetVerdict, Verdict,
};
use arbalest::trade::{
    ApprovalSeq, ClientOrderId, Fill, Intent, Leg, Liquidity, OrderIdSource, OrderReport,
    RejectReason, ReportKind, SendOrder, SetForm, StrategyId, Ticket, VenueFacts,
};
use arbalest::units::{Asset, MonoNanos, Nanos, Ppm, Price, Qty, Side, UnixNanos};
use rust_decimal::Decimal;

use crate::small_market::{catalogue, instrument, set_book};

pub(crate) const T0: MonoNanos = MonoNanos(1_000_000_000_000);
pub(crate) const RULES: RepairRules = RepairRules {
    on_broken: OnBroken::Cheapest,
    cost_max: Ppm(3_000),
    book_age_max: Nanos(250_000_000),
    cushion: Ppm(200),
    notional_margin: Ppm(10_000),
};
pub(crate) const IDS: OrderIdSource = OrderIdSource::new(7, 1_700_000_000);

pub(crate) fn limits(count: usize) -> Limits {
    let much = Decimal::from(1_000_000_000_000_i64);
    let own = InstrumentLimits {
        order_qty_max: Qty(1 << 40),
        position_qty_max: Qty(1 << 50),
    };
    Limits {
        instruments: vec![Some(own); count],
        order_notional_usd_max: much,
        notional_usd_max_symbol: much,
        notional_usd_max_venue: much,
        notional_usd_max_asset_net: much,
        notional_usd_max_gross: much,
        notional_usd_max_net: much,
        notional_margin: Ppm(5_000),
        ref_price_age_max: Nanos::from_secs(1),
        book_crossed_max: Nanos::from_millis(100),
        spread_max: Ppm(10_000),
        submit_rate_max_symbol: 200,
        submit_rate_max_venue: 200,
        submit_rate_max_global: 200,
        unrealized_loss_usd_max: much,
        warn_at: Ppm(800_000),
        cooldown: Nanos::from_secs(60),
        risk_view_age_max: Nanos::from_secs(1),
        pre_trade: arbalest::risk::PreTradeLimits::open(),
        controls: arbalest::risk::ControlLimits::default(),
        close: arbalest::risk::CloseLimits::default(),
        kill: arbalest::risk::KillLimits::default(),
    }
}

/// A desk with a real gate in front of it and live books beside it.
pub(crate) struct Bench {
    pub(crate) catalogue: Arc<Catalogue>,
    pub(crate) books: Books,
    pub(crate) gate: Gate,
    pub(crate) desk: Desk,
    pub(crate) fees: Vec<Ppm>,
    pub(crate) now: MonoNanos,
    pub(crate) view_version: u64,
    pub(crate) out: Vec<DeskOutput>,
    pub(crate) next_trade: u64,
    /// Bids and asks by instrument, shown at every refresh.
    pub(crate) shown: Vec<(Levels, Levels)>,
    /// Instruments whose venue is down: their books are not heard of any more.
    pub(crate) down: Vec<bool>,
    /// Balances, as far as a test says.
    pub(crate) venues: Vec<Option<Arc<VenueFacts>>>,
}

/// Price and quantity of two levels, best first.
pub(crate) type Levels = [(i64, i64); 2];

impl Bench {
    pub(crate) fn new(instruments: Vec<Instrument>) -> Self {
        Self::of(catalogue(instruments))
    }
    pub(crate) fn of(catalogue: Catalogue) -> Self {
        let catalogue = Arc::new(catalogue);
        let count = catalogue.all().len();
        let mut bench = Self {
            books: Books::new(&catalogue),
            gate: Gate::new(
                Arc::new(limits(count)),
                catalogue.clone(),
                Asset::new("USDT").unwrap(),
                &arbalest::risk::Permits::everything(&catalogue),
            ),
            desk: Desk::new(catalogue.clone(), IDS, DeskParams::default()),
            fees: vec![Ppm(400); count],
            catalogue,
            now: T0,
            view_version: 0,
            out: Vec::new(),
            next_trade: 1,
            shown: vec![
                (
                    [(6_000_000, 5_000), (5_999_000, 50_000)],
                    [(6_000_100, 5_000), (6_001_000, 50_000)],
                );
                count
            ],
            down: vec![false; count],
            venues: Vec::new(),
        };
        bench.refresh(ApprovalSeq(0));
        bench
    }
    pub(crate) fn pair() -> Self {
        Self::new(vec![instrument(0, true), instrument(1, true)])
    }
    /// Fresh books and a fresh picture of the risk seat.
    pub(crate) fn refresh(&mut self, as_of: ApprovalSeq) {
        for id in 0..u16::try_from(self.catalogue.all().len()).unwrap() {
            if self.down[usize::from(id)] {
                continue;
            }
            let (bids, asks) = self.shown[usize::from(id)];
            set_book(&mut self.books, id, &bids, &asks, self.now);
        }
        self.view_version += 1;
        self.gate.on_view(&RiskView {
            version: self.view_version,
            as_of,
            issued_at: self.now,
            portfolio: arbalest::risk::PortfolioRisk::default(),
            venues: self.venues.clone(),
            instruments: vec![InstrumentRisk::default(); self.catalogue.all().len()],
            strategies: vec![arbalest::risk::StrategyRisk::default(); 2],
        });
    }
    pub(crate) fn advance(&mut self, span: Nanos) {
        self.now = self.now.after(span);
        self.refresh(ApprovalSeq(0));
        self.desk.on_timer(self.now, &mut self.out);
    }
    /// Buys on instrument 0, sells on instrument 1.
    pub(crate) fn send(&mut self, qty: i64) -> [Ticket; 2] {
        let leg = |id, side, limit_price| Leg {
            instrument: InstrumentId(id),
            side,
            qty: Qty(qty),
            limit_price: Price(limit_price),
            decision_price: Price(limit_price),
        };
        let legs = [leg(0, Side::Buy, 6_000_100), leg(1, Side::Sell, 6_000_000)];
        let placed = self.send_as(&legs, SetForm::Hedge, SendOrder::Together);
        [placed[0], placed[1]]
    }
    /// Lets a set through the gate and hands it to the desk: the orders that left at once.
    pub(crate) fn send_as(&mut self, legs: &[Leg], form: SetForm, send: SendOrder) -> Vec<Ticket> {
        let mut intent = Intent::new(StrategyId(0), legs, self.now);
        (intent.form, intent.send) = (form, send);
        let set = match self.gate.check_set(&intent, &self.books, self.now) {
            SetVerdict::Approved(set) => set,
            refused @ SetVerdict::Refused { .. } => panic!("{refused:?}"),
        };
        let start = self.out.len();
        self.desk.on_set(&set, self.now, &mut self.out);
        placed(&self.out[start..])
    }
    pub(crate) fn report(&mut self, ticket: &Ticket, kind: ReportKind) -> usize {
        let report = OrderReport {
            venue: self.catalogue.get(ticket.instrument).unwrap().venue,
            instrument: ticket.instrument,
            client_order_id: Some(ticket.client_order_id),
            kind,
            venue_time: UnixNanos(0),
            received_at: self.now,
        };
        let start = self.out.len();
        self.desk.on_report(&report, self.now, &mut self.out);
        start
    }
    pub(crate) fn fill(&mut self, ticket: &Ticket, qty: i64) -> u64 {
        let trade_id = self.next_trade;
        self.next_trade += 1;
        self.report(ticket, execution(ticket, qty, trade_id));
        trade_id
    }
    /// Lets one leg end so.
    pub(crate) fn end_leg(&mut self, ticket: &Ticket, outcome: LegOutcome) {
        let all = ticket.qty;
        let (part, rest) = (Qty(400), Qty(600));
        match outcome {
            LegOutcome::None => self.report(
                ticket,
                ReportKind::Done {
                    filled: Qty(0),
                    complete: false,
                },
            ),
            LegOutcome::Partial => {
                self.fill(ticket, part.0);
                self.report(
                    ticket,
                    ReportKind::Done {
                        filled: part,
                        complete: false,
                    },
                )
            }
            LegOutcome::Full => {
                self.fill(ticket, part.0);
                self.fill(ticket, rest.0);
                self.report(
                    ticket,
                    ReportKind::Done {
                        filled: all,
                        complete: true,
                    },
                )
            }
            LegOutcome::Rejected => self.report(ticket, rejected(RejectReason::Filter)),
            LegOutcome::NotSent => self.report(ticket, rejected(RejectReason::NotSent)),
            LegOutcome::Unknown => 0,
        };
    }
    /// The signal seat: prices a repair, asks the gate, hands it to the desk. Returns what was planned.
    pub(crate) fn answer(&mut self, broken: &BrokenSet) -> RepairPlan {
        let market = RepairMarket {
            catalogue: &self.catalogue,
            books: &self.books,
            fees: &self.fees,
        };
        let plan = plan_repair(broken, &market, &RULES, self.now);
        let (leg_index, leg) = match plan {
            RepairPlan::Complete { leg_index, leg, .. }
            | RepairPlan::Reverse { leg_index, leg, .. } => (leg_index, leg),
            RepairPlan::Hold { reason } => {
                self.desk
                    .on_hold(broken.id, reason, self.now, &mut self.out);
                return plan;
            }
        };
        let repair = arbalest::risk::Repair {
            set: broken.id,
            leg_index,
            strategy: broken.strategy,
            leg: &leg,
            parent: broken.parent(leg_index, &leg),
        };
        match self.gate.check_repair(&repair, &self.books, self.now) {
            Verdict::Approved(approved) => {
                self.desk.on_approved(&approved, self.now, &mut self.out);
            }
            Verdict::Refused(refusal) => panic!("the gate refused a repair: {refusal:?}"),
        }
        plan
    }
    pub(crate) fn broken(&self) -> Vec<BrokenSet> {
        self.out
            .iter()
            .filter_map(|output| {
                if let DeskOutput::Broken(set) = output {
                    Some(*set)
                } else {
                    None
                }
            })
            .collect()
    }
    pub(crate) fn done(&self) -> Vec<SetSummary> {
        self.out
            .iter()
            .filter_map(|output| {
                if let DeskOutput::SetDone(set) = output {
                    Some(*set)
                } else {
                    None
                }
            })
            .collect()
    }
    pub(crate) fn alerts(&self) -> Vec<DeskAlertKind> {
        self.out
            .iter()
            .filter_map(|output| {
                if let DeskOutput::Alert(alert) = output {
                    Some(alert.kind)
                } else {
                    None
                }
            })
            .collect()
    }
    pub(crate) fn settled(&self) -> u64 {
        let settled = |output: &DeskOutput| {
            if let DeskOutput::Settled(seq) = output {
                Some(seq.0)
            } else {
                None
            }
        };
        self.out.iter().filter_map(settled).next_back().unwrap_or(0)
    }
    /// Signed quantity of all fills told to the ledger, over all instruments.
    pub(crate) fn net(&self) -> i64 {
        fills(&self.out)
            .iter()
            .map(|fill| fill.side.signed(fill.qty).0)
            .sum()
    }
    pub(crate) fn last_placed(&self) -> Ticket {
        *placed(&self.out).last().unwrap()
    }
}

pub(crate) fn execution(ticket: &Ticket, qty: i64, trade_id: u64) -> ReportKind {
    ReportKind::Filled {
        side: ticket.side,
        qty: Qty(qty),
        price: ticket.limit_price,
        fee: Decimal::new(1, 2),
        fee_asset: Asset::new("USDT"),
        trade_id,
        liquidity: Liquidity::Taker,
    }
}

pub(crate) fn rejected(reason: RejectReason) -> ReportKind {
    ReportKind::Rejected { reason, code: -1 }
}

pub(crate) fn fills(out: &[DeskOutput]) -> Vec<Fill> {
    out.iter()
        .filter_map(|output| {
            if let DeskOutput::Fill(fill) = output {
                Some(*fill)
            } else {
                None
            }
        })
        .collect()
}

/// Every command in order.
pub(crate) fn commands(out: &[DeskOutput]) -> impl Iterator<Item = &OrderCommand> {
    out.iter().filter_map(|output| {
        if let DeskOutput::Command(command) = output {
            Some(command)
        } else {
            None
        }
    })
}

pub(crate) fn placed(out: &[DeskOutput]) -> Vec<Ticket> {
    let ticket = |command: &OrderCommand| match command.action() {
        CommandAction::Place(ticket) => Some(*ticket),
        CommandAction::Cancel { .. }
        | CommandAction::Query { .. }
        | CommandAction::CancelAll { .. } => None,
    };
    commands(out).filter_map(ticket).collect()
}

pub(crate) fn queries(out: &[DeskOutput]) -> Vec<ClientOrderId> {
    let query = |command: &OrderCommand| match command.action() {
        CommandAction::Query {
            client_order_id, ..
        } => Some(*client_order_id),
        CommandAction::Cancel { .. }
        | CommandAction::Place(_)
        | CommandAction::CancelAll { .. } => None,
    };
    commands(out).filter_map(query).collect()
}
