//! What a journal says: executions, baselines and sessions, back as values.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use rust_decimal::Decimal;
use serde::Deserialize;

use crate::journal::Line;
use crate::ledger::{Funding, Ledger, LedgerError};
use crate::market::{Catalogue, Instrument, InstrumentId, VenueId};
use crate::trade::{ApprovalSeq, ClientOrderId, Fill, Liquidity, PaymentId, StrategyId};
use crate::units::{Asset, MonoNanos, Side, UnixNanos};

/// Trade ids from here on are adjustments: no venue counts so far.
pub const ADJUSTMENT_FIRST: u64 = 1 << 63;

/// Executions of an instrument that are asked for again: a lost one may be older than the last that was written.
const OVERLAP_FILLS: usize = 64;
/// The same by time, for an instrument without executions in the journal.
const OVERLAP_NANOS: i64 = 600 * 1_000_000_000;

/// A record that this build cannot take back: the journal is not this configuration's, or was edited.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "journal record {seq}: {what}: the positions cannot be recovered from it; \
     restore the configuration it was written with, or move the journal away and start over flat"
)]
pub struct HistoryError {
    /// Which record.
    pub seq: u64,
    /// What is wrong.
    pub what: String,
}

/// What to ask a venue about one instrument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question {
    /// First trade id; zero asks by time.
    pub from_id: u64,
    /// Venue time.
    pub since: UnixNanos,
}

/// A journal, read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    /// Starts so far.
    pub sessions: u64,
    /// The latest session number in client order ids.
    pub last_epoch_secs: u32,
    /// The last session wrote its end, or there was none.
    pub stopped_in_order: bool,
    /// Executions in the order they were booked, each once.
    pub fills: Vec<Fill>,
    /// Funding payments, each with how many executions were booked before it.
    pub fundings: Vec<(usize, Funding)>,
    /// Executions of instruments that are not configured now.
    pub fills_elsewhere: u64,
    /// Baseline by venue id, adjustments included; `None`: this venue was never traded at.
    pub baselines: Vec<Option<BTreeMap<Asset, Decimal>>>,
    /// Venue time of each baseline: executions before it are in the baseline.
    pub began: Vec<Option<UnixNanos>>,
    /// When the last record was written.
    pub last_time: Option<UnixNanos>,
    recent: BTreeMap<InstrumentId, VecDeque<u64>>,
    /// Records were lost on the way to the disk: everything since the baseline is asked for.
    has_gaps: bool,
}

#[derive(Deserialize)]
struct StoredFill {
    time: i64,
    venue: String,
    symbol: String,
    side: String,
    quantity: Decimal,
    price: Decimal,
    fee: Decimal,
    fee_asset: String,
    trade_id: u64,
    client_order_id: Option<String>,
    liquidity: String,
    strategy: Option<String>,
}

#[derive(Deserialize)]
struct StoredBaseline {
    venue: String,
    balances: BTreeMap<String, Decimal>,
    since: i64,
}

#[derive(Deserialize)]
struct StoredFunding {
    venue: String,
    symbol: Option<String>,
    asset: String,
    paid: Decimal,
    time: i64,
    #[serde(default)]
    balance: Option<Decimal>,
}

#[derive(Deserialize)]
struct StoredAdjustment {
    venue: String,
    what: String,
    quantity: Decimal,
    price: Option<Decimal>,
}

/// The records that matter here.
#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Stored {
    Started { epoch_secs: u32 },
    Stopped {},
    Recovered { matched: bool },
    Baseline(StoredBaseline),
    Adjusted(StoredAdjustment),
    Fill(StoredFill),
    Funding(StoredFunding),
}

/// What a line was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// Counted.
    History,
    /// The kill levels as they stood: the levels' own reader takes them.
    Levels,
    /// What losses were measured by: their own reader takes it.
    Losses,
    /// The limits in force: their own reader takes them.
    Limits,
    /// Of no interest here.
    Other,
}

/// Reads a journal line by line.
#[derive(Debug)]
pub struct Reading<'a> {
    catalogue: &'a Catalogue,
    strategies: &'a [String],
    fresh: Vec<bool>,
    history: History,
    known: BTreeSet<(InstrumentId, u64, Side)>,
}

impl<'a> Reading<'a> {
    /// Before the first line. `strategies` by strategy id; `fresh` by venue id: its account began with this process, so what
    /// the journal says of it is over.
    #[must_use]
    pub fn new(catalogue: &'a Catalogue, strategies: &'a [String], fresh: Vec<bool>) -> Self {
        Self {
            history: History {
                stopped_in_order: true,
                baselines: vec![None; catalogue.venue_names().len()],
                began: vec![None; catalogue.venue_names().len()],
                ..History::default()
            },
            catalogue,
            strategies,
            fresh,
            known: BTreeSet::new(),
        }
    }

    /// Takes the next line.
    ///
    /// # Errors
    /// [`HistoryError`] when it cannot be taken back.
    pub fn take(&mut self, line: &Line) -> Result<Taken, HistoryError> {
        self.history.last_time = Some(UnixNanos(line.time_ns));
        // Most lines are orders, reports and figures: only what matters is parsed.
        match kind(&line.text) {
            "started" | "stopped" | "recovered" | "baseline" | "adjusted" | "fill" | "funding" => {}
            "level_state" => return Ok(Taken::Levels),
            "loss_state" => return Ok(Taken::Losses),
            "limits_in_force" => return Ok(Taken::Limits),
            "not_recorded" => {
                self.history.has_gaps = true;
                return Ok(Taken::History);
            }
            _ => return Ok(Taken::Other),
        }
        let named = |what: String| HistoryError {
            seq: line.seq,
            what,
        };
        let stored = serde_json::from_str(&line.text).map_err(|error| named(error.to_string()))?;
        self.count(stored).map_err(named)?;
        Ok(Taken::History)
    }

    fn count(&mut self, stored: Stored) -> Result<(), String> {
        let history = &mut self.history;
        match stored {
            Stored::Started { epoch_secs } => {
                history.sessions += 1;
                history.last_epoch_secs = history.last_epoch_secs.max(epoch_secs);
                history.stopped_in_order = false;
            }
            Stored::Stopped {} => history.stopped_in_order = true,
            // What was lost before was found by that start.
            Stored::Recovered { matched } => history.has_gaps &= !matched,
            Stored::Baseline(stored) => history.take_baseline(&stored, self.catalogue)?,
            Stored::Adjusted(stored) => history.take_adjustment(&stored, self.catalogue)?,
            Stored::Funding(stored) => self.take_funding(&stored)?,
            Stored::Fill(stored) => {
                let found = find(self.catalogue, &stored.venue, &stored.symbol);
                let fresh = |one: &Instrument| self.fresh.get(one.venue.index()) == Some(&true);
                let Some(instrument) = found.filter(|one| !fresh(one)) else {
                    history.fills_elsewhere += 1;
                    return Ok(());
                };
                let fill = stored.fill(instrument, self.strategies)?;
                if self
                    .known
                    .insert((fill.instrument, fill.trade_id, fill.side))
                {
                    history.note(&fill);
                    history.fills.push(fill);
                }
            }
        }
        Ok(())
    }

    /// Funding of a venue or symbol that is not configured any more belongs to no position of ours.
    fn take_funding(&mut self, stored: &StoredFunding) -> Result<(), String> {
        let Some(venue) = venue(self.catalogue, &stored.venue)
            .filter(|venue| self.fresh.get(venue.index()) != Some(&true))
        else {
            return Ok(());
        };
        let instrument = match &stored.symbol {
            Some(symbol) => match find(self.catalogue, &stored.venue, symbol) {
                Some(found) => Some(found.id),
                None => return Ok(()),
            },
            None => None,
        };
        let asset = Asset::new(&stored.asset)
            .ok_or_else(|| format!("{} is no asset code", stored.asset))?;
        let funding = Funding {
            venue,
            instrument,
            asset,
            paid: stored.paid,
            id: PaymentId {
                time: UnixNanos(stored.time),
                balance: stored.balance,
            },
        };
        self.history
            .fundings
            .push((self.history.fills.len(), funding));
        Ok(())
    }

    /// After the last line.
    #[must_use]
    pub fn finish(self) -> History {
        let mut history = self.history;
        let begun = history.baselines.iter_mut().zip(&mut history.began);
        for ((baseline, began), fresh) in begun.zip(&self.fresh) {
            if *fresh {
                (*baseline, *began) = (None, None);
            }
        }
        history
    }
}

/// The word after the first `"kind":`, which stands before every value that could hold those letters.
fn kind(text: &str) -> &str {
    let rest = text.split_once("\"kind\":\"").map_or("", |(_, rest)| rest);
    rest.split_once('"').map_or("", |(word, _)| word)
}

impl History {
    /// Books everything in the order in which it was booked.
    ///
    /// # Errors
    /// [`LedgerError`]: the journal contradicts itself.
    pub fn book(&self, ledger: &mut Ledger) -> Result<(), LedgerError> {
        let mut fundings = self.fundings.iter().peekable();
        for (count, fill) in self.fills.iter().enumerate() {
            while let Some((_, funding)) = fundings.next_if(|(before, _)| *before <= count) {
                ledger.on_funding(funding)?;
            }
            ledger.on_fill(fill)?;
        }
        for (_, funding) in fundings {
            ledger.on_funding(funding)?;
        }
        Ok(())
    }

    fn note(&mut self, fill: &Fill) {
        if fill.trade_id >= ADJUSTMENT_FIRST {
            return;
        }
        let recent = self.recent.entry(fill.instrument).or_default();
        recent.push_back(fill.trade_id);
        if recent.len() > OVERLAP_FILLS {
            recent.pop_front();
        }
    }

    fn take_baseline(
        &mut self,
        stored: &StoredBaseline,
        catalogue: &Catalogue,
    ) -> Result<(), String> {
        let Some(slot) =
            venue(catalogue, &stored.venue).and_then(|venue| self.baselines.get_mut(venue.index()))
        else {
            return Ok(());
        };
        let mut balances = BTreeMap::new();
        for (code, amount) in &stored.balances {
            let asset = Asset::new(code).ok_or_else(|| format!("{code} is no asset code"))?;
            balances.insert(asset, *amount);
        }
        *slot = Some(balances);
        if let Some(began) =
            venue(catalogue, &stored.venue).and_then(|venue| self.began.get_mut(venue.index()))
        {
            *began = Some(UnixNanos(stored.since));
        }
        Ok(())
    }

    /// A position's adjustment was booked like an execution and is in the journal as one.
    fn take_adjustment(
        &mut self,
        stored: &StoredAdjustment,
        catalogue: &Catalogue,
    ) -> Result<(), String> {
        if stored.price.is_some() {
            return Ok(());
        }
        let Some(Some(baseline)) =
            venue(catalogue, &stored.venue).and_then(|venue| self.baselines.get_mut(venue.index()))
        else {
            return Ok(());
        };
        let asset =
            Asset::new(&stored.what).ok_or_else(|| format!("{} is no asset code", stored.what))?;
        let sum = baseline.entry(asset).or_default();
        *sum = sum
            .checked_add(stored.quantity)
            .ok_or_else(|| "its sum does not fit".to_owned())?;
        Ok(())
    }

    /// What to ask for: from some executions before the last known one, or from some time before the last record; from now
    /// on for a venue that was never traded at.
    #[must_use]
    pub fn question(&self, instrument: &Instrument, now: UnixNanos) -> Question {
        let known = self
            .recent
            .get(&instrument.id)
            .and_then(|recent| recent.iter().min());
        let began = self.began.get(instrument.venue.index()).copied().flatten();
        if let (true, Some(began)) = (self.has_gaps, began) {
            return Question {
                from_id: 0,
                since: began,
            };
        }
        let since = match (self.last_time, began) {
            (Some(last), Some(began)) => {
                UnixNanos(last.0.min(now.0).saturating_sub(OVERLAP_NANOS)).max(began)
            }
            (Some(_) | None, _) => now,
        };
        Question {
            from_id: known.copied().unwrap_or(0),
            since,
        }
    }
}

impl StoredFill {
    fn fill(&self, instrument: &Instrument, strategies: &[String]) -> Result<Fill, String> {
        let off = |what: &str, value: Decimal| {
            format!(
                "{what} {value} does not fit the grid of {}",
                instrument.symbol
            )
        };
        let order = self.client_order_id.as_deref();
        let client_order_id = match order {
            Some(text) => Some(
                ClientOrderId::parse(text.as_bytes())
                    .ok_or_else(|| format!("{text} is no client order id"))?,
            ),
            None => None,
        };
        let strategy = self.strategy.as_ref().and_then(|name| {
            let index = strategies.iter().position(|known| known == name)?;
            u8::try_from(index).ok().map(StrategyId)
        });
        Ok(Fill {
            venue: instrument.venue,
            instrument: instrument.id,
            client_order_id,
            approval: ApprovalSeq(0),
            strategy,
            purpose: None,
            side: match self.side.as_str() {
                "buy" => Side::Buy,
                "sell" => Side::Sell,
                other => return Err(format!("{other} is no side")),
            },
            qty: instrument
                .grid
                .qty_exact(self.quantity)
                .map_err(|_grid| off("quantity", self.quantity))?,
            price: instrument
                .grid
                .price_exact(self.price)
                .map_err(|_grid| off("price", self.price))?,
            fee: self.fee,
            fee_asset: if self.fee_asset.is_empty() {
                None
            } else {
                Some(
                    Asset::new(&self.fee_asset)
                        .ok_or_else(|| format!("{} is no asset code", self.fee_asset))?,
                )
            },
            trade_id: self.trade_id,
            venue_time: UnixNanos(self.time),
            received_at: MonoNanos(0),
            liquidity: match self.liquidity.as_str() {
                "maker" => Liquidity::Maker,
                _ => Liquidity::Taker,
            },
        })
    }
}

fn venue(catalogue: &Catalogue, name: &str) -> Option<VenueId> {
    let index = catalogue
        .venue_names()
        .iter()
        .position(|known| known == name)?;
    u8::try_from(index).ok().map(VenueId)
}

fn find<'a>(catalogue: &'a Catalogue, venue_name: &str, symbol: &str) -> Option<&'a Instrument> {
    catalogue
        .at_venue(venue(catalogue, venue_name)?)
        .find(|instrument| instrument.symbol.to_string() == symbol)
}
