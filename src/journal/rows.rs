//! What a journal line says of orders, the venue's reports, risk figures, alerts, refusals, people and configurations.
//!
//! Kept apart from [`super::record`], which says what happened to money and levels. Absent fields are left out of the line.

use rust_decimal::Decimal;
use serde::Serialize;

use crate::market::InstrumentId;
use crate::risk::Alert;
use crate::trade::{ClientOrderId, OrderReport, Purpose, ReportKind, Ticket, TimeInForce};

use super::record::{Names, Record};

/// An order about to be handed to its gateway: the durable intent (RISK.md I07). Appended before it is sent, never waited
/// for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OrderRecord {
    /// Our id, 32 hex digits.
    pub client_order_id: String,
    /// Venue instance.
    pub venue: String,
    /// Unified symbol.
    pub symbol: String,
    /// Configured name of the strategy.
    pub strategy: String,
    /// Number of the set or forced close.
    pub set: u64,
    /// Leg of that set.
    pub leg: u8,
    /// Attempt at that leg.
    pub attempt: u16,
    /// leg, repair, unwind.
    pub purpose: &'static str,
    /// buy, sell.
    pub side: &'static str,
    /// In base units.
    pub quantity: Decimal,
    /// In the quote asset.
    pub limit_price: Decimal,
    /// ioc, gtc, fok.
    pub time_in_force: &'static str,
    /// The venue is asked to refuse what would enlarge or flip.
    pub reduce_only: bool,
    /// The venue is asked to refuse what would take.
    pub post_only: bool,
    /// The approval that allowed it.
    pub approval: u64,
}

/// A cancel about to be handed to its gateway.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CancelRecord {
    /// Our id; absent when everything in the instrument is cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_order_id: Option<String>,
    /// Venue instance.
    pub venue: String,
    /// Unified symbol.
    pub symbol: String,
}

/// A venue's word about an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReportRecord {
    /// Our id; absent when the order is not ours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_order_id: Option<String>,
    /// Venue instance.
    pub venue: String,
    /// Unified symbol.
    pub symbol: String,
    /// written, acked, rejected, filled, done, open, unknown, `not_found`, `cancel_rejected`.
    pub event: &'static str,
    /// Venue's time, ns since 1970; 0 when it gave none.
    pub venue_time: i64,
    /// Venue's order id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub venue_order_id: Option<u64>,
    /// Class of a refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// Venue's code of a refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<i32>,
    /// Of an execution: its quantity. Of done and open: filled so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quantity: Option<Decimal>,
    /// Of an execution.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price: Option<Decimal>,
    /// Of an execution.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trade_id: Option<u64>,
}

/// Something people were told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AlertRecord {
    /// Fixed short word.
    pub alert: String,
    /// critical, warning, info.
    pub severity: &'static str,
    /// `portfolio`, `venue:spot_a`, ...
    pub scope: String,
    /// The measured value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Decimal>,
    /// What it was compared with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<Decimal>,
    /// True when it begins or happened, false when it ended.
    pub raised: bool,
    /// More words; empty when there are none.
    pub text: String,
}

/// Refusals of the gate for one strategy and code since the last such record: counted, because a strategy may be refused at
/// every tick.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RefusalRow {
    /// Configured name of the strategy.
    pub strategy: String,
    /// Code of `docs/RISK.md`.
    pub code: String,
    /// How often since the last record.
    pub count: u64,
}

/// The whole account's risk, once a second. Absent is not known, never zero.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RiskMetricsRecord {
    /// starting, active, `reduce_only`, halted.
    pub state: &'static str,
    /// Kill level of the portfolio, 0 to 4.
    pub kill_level: u8,
    /// Gross absolute exposure in the reporting currency.
    pub total_exposure: Option<Decimal>,
    /// Net value of all positions, reporting currency.
    pub net_exposure: Option<Decimal>,
    /// Realized and unrealized since the session began, after fees, reporting currency.
    pub pnl: Option<Decimal>,
    /// Realized, net of quote fees.
    pub realized_pnl: Decimal,
    /// At mid.
    pub unrealized_pnl: Option<Decimal>,
    /// Largest fall of the unit value from its high-water mark in this session, as a ratio.
    pub max_drawdown: Option<Decimal>,
    /// Value at risk, 99 % over a day (AT-12), reporting currency.
    pub var: Option<Decimal>,
    /// Expected shortfall, 97.5 % over a day (AT-13), reporting currency.
    pub expected_shortfall: Option<Decimal>,
    /// Initial margin over equity of the account nearest to its limit (AT-10).
    pub margin_usage: Option<Decimal>,
    /// Equity at all venues, reporting currency.
    pub equity: Option<Decimal>,
    /// Value of one unit; 1 when the session began.
    pub unit_value: Option<Decimal>,
    /// Live orders at the venues.
    pub open_orders: u64,
    /// Orders whose state is not known.
    pub unknown_orders: u64,
    /// Open positions without a usable price.
    pub unpriced_positions: u64,
}

/// One position.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PositionRow {
    /// Venue instance.
    pub venue: String,
    /// Unified symbol.
    pub symbol: String,
    /// Signed, in base units.
    pub quantity: Decimal,
    /// Of the open quantity.
    pub average_price: Option<Decimal>,
    /// Net of quote fees.
    pub realized_pnl: Decimal,
}

/// What a person, or a program with a token, asked, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ControlRecord {
    /// Name of the person or of the token.
    pub by: String,
    /// viewer, trader, `risk_officer`, admin; empty inside the process.
    pub role: String,
    /// Where it came from: an address, `process`, `signal`.
    pub origin: String,
    /// raise, lower, cancel, flatten, reload, ...
    pub action: String,
    /// `portfolio`, `venue:spot_a`, ...; empty where there is none.
    pub scope: String,
    /// In words.
    pub reason: String,
    /// It was carried out.
    pub accepted: bool,
    /// What followed, or why it was refused.
    pub result: String,
}

/// A configuration that came into force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConfigRecord {
    /// SHA-256 over the files, hex.
    pub hash: String,
    /// start, reload.
    pub cause: &'static str,
    /// Who; empty at start.
    pub by: String,
    /// Every setting as it was understood, `FILE KEY = VALUE`. Secrets never stand in a configuration.
    pub settings: Vec<String>,
}

fn hex(id: ClientOrderId) -> String {
    String::from_utf8_lossy(&id.hex()).into_owned()
}

impl Names<'_> {
    /// An order about to be sent.
    #[must_use]
    pub fn order(&self, ticket: &Ticket) -> OrderRecord {
        let (venue, symbol) = self.venue_and_symbol(ticket.instrument);
        let id = ticket.client_order_id;
        OrderRecord {
            client_order_id: hex(id),
            venue,
            symbol,
            strategy: self.strategy(ticket.strategy),
            set: id.set().0,
            leg: id.leg(),
            attempt: id.attempt(),
            purpose: match ticket.purpose {
                Purpose::Leg => "leg",
                Purpose::Repair => "repair",
                Purpose::Unwind => "unwind",
            },
            side: ticket.side.label(),
            quantity: self.qty(ticket.instrument, ticket.qty),
            limit_price: self.price(ticket.instrument, ticket.limit_price),
            time_in_force: match ticket.time_in_force {
                TimeInForce::ImmediateOrCancel => "ioc",
                TimeInForce::GoodTillCancel => "gtc",
                TimeInForce::FillOrKill => "fok",
                TimeInForce::Unpriced => "unpriced",
            },
            reduce_only: ticket.reduce_only,
            post_only: ticket.post_only,
            approval: ticket.approval.0,
        }
    }

    /// A cancel about to be sent.
    #[must_use]
    pub fn cancel(&self, instrument: InstrumentId, id: Option<ClientOrderId>) -> CancelRecord {
        let (venue, symbol) = self.venue_and_symbol(instrument);
        CancelRecord {
            client_order_id: id.map(hex),
            venue,
            symbol,
        }
    }

    /// A venue's word.
    #[must_use]
    pub fn report(&self, report: &OrderReport) -> ReportRecord {
        let id = report.instrument;
        let (venue, symbol) = self.venue_and_symbol(id);
        let mut record = ReportRecord {
            client_order_id: report.client_order_id.map(hex),
            venue,
            symbol,
            event: "unknown",
            venue_time: report.venue_time.0,
            venue_order_id: None,
            reason: None,
            code: None,
            quantity: None,
            price: None,
            trade_id: None,
        };
        record.event = match report.kind {
            ReportKind::Written => "written",
            ReportKind::Acked { venue_order_id } => {
                record.venue_order_id = Some(venue_order_id);
                "acked"
            }
            ReportKind::Rejected { reason, code } => {
                record.reason = Some(reason.label());
                record.code = Some(code);
                "rejected"
            }
            ReportKind::Filled {
                qty,
                price,
                trade_id,
                ..
            } => {
                record.quantity = Some(self.qty(id, qty));
                record.price = Some(self.price(id, price));
                record.trade_id = Some(trade_id);
                "filled"
            }
            ReportKind::Done { filled, .. } => {
                record.quantity = Some(self.qty(id, filled));
                "done"
            }
            ReportKind::Open { filled } => {
                record.quantity = Some(self.qty(id, filled));
                "open"
            }
            ReportKind::Unknown => "unknown",
            ReportKind::NotFound => "not_found",
            ReportKind::CancelRejected => "cancel_rejected",
        };
        record
    }

    /// What the monitor tells people.
    #[must_use]
    pub fn alert(&self, alert: &Alert) -> Record {
        Record::Alert(AlertRecord {
            alert: alert.kind.label().to_owned(),
            severity: alert.severity.label(),
            scope: self.scope(&alert.scope),
            value: alert.value.and_then(crate::risk::Amount::decimal),
            limit: alert.limit.and_then(crate::risk::Amount::decimal),
            raised: alert.raised,
            text: String::new(),
        })
    }
}
