//! Answers and events in: found by request number, or by event name; success and failure by kind of request.

use crate::exchanges::gateway::{AccountEvent, AccountQuery, GatewayOut, HttpAnswer};
use crate::exchanges::pending::Pending;
use crate::exchanges::{Channel, ReconnectCause, binance_spot, binance_usdm};
use crate::trade::{RejectReason, ReportKind};
use crate::units::{MonoNanos, Nanos, UnixNanos};

use super::Update;
use super::envelope::{ErrorBody, Head, Malformed, RateLimit, result_body};
use super::errors::{Failure, classify};
use super::machine::{Asked, At, Flavour, Machine, Recovery, RequestKind, TradesFor};
use super::order::OrderResult;

/// Wait when the venue says too fast and not until when.
const BOX_DEFAULT: Nanos = Nanos::from_secs(60);
/// Wait when the venue bans us and does not say until when.
const BAN_DEFAULT: Nanos = Nanos::from_secs(300);
/// Longest ban the venue knows; a longer one is not believed.
const BAN_MAX: Nanos = Nanos::from_secs(3 * 86_400);
/// Wait after an order-count refusal: the shorter of the venue's two windows.
const ORDERS_BOX: Nanos = Nanos::from_secs(10);
/// Another measurement of the clock after a failed one.
const CLOCK_RETRY: Nanos = Nanos::from_secs(10);
/// A trade of an unknown order is left for later while a placement younger than this has no answer.
pub(super) const UNANSWERED_MAX: Nanos = Nanos::from_secs(60);

/// What became of a frame, for the counters.
enum Taken {
    Decoded,
    Ignored,
}

/// An error answer.
struct Refusal {
    failure: Failure,
    code: i32,
    /// How long to stop, if the venue said so.
    wait: Option<Nanos>,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct ServerTime {
    server_time: i64,
}

impl Machine {
    fn count(&mut self, taken: &Result<Taken, Malformed>) {
        self.counters.frames_received += 1;
        match taken {
            Ok(Taken::Decoded) => self.counters.frames_decoded += 1,
            Ok(Taken::Ignored) => self.counters.frames_ignored += 1,
            Err(Malformed) => self.counters.frames_malformed += 1,
        }
    }

    pub(crate) fn on_frame(
        &mut self,
        channel: Channel,
        bytes: &[u8],
        now: MonoNanos,
        time: UnixNanos,
        out: &mut GatewayOut,
    ) {
        let at = At { now, time };
        self.last_time = time;
        let taken = self.take_frame(channel, bytes, at, out);
        self.count(&taken);
    }

    fn take_frame(
        &mut self,
        channel: Channel,
        bytes: &[u8],
        at: At,
        out: &mut GatewayOut,
    ) -> Result<Taken, Malformed> {
        let head = Head::read(bytes)?;
        if let Some((name, wrapping)) = head.event() {
            let mut updates = Vec::new();
            let used = match self.flavour {
                Flavour::Spot => binance_spot::account::decode_event(
                    name,
                    wrapping,
                    bytes,
                    &self.instruments,
                    &mut updates,
                ),
                Flavour::Usdm => binance_usdm::account::decode_event(
                    name,
                    wrapping,
                    bytes,
                    &self.instruments,
                    &mut updates,
                ),
            }?;
            for update in updates {
                self.take_update(channel, &update, at, out);
            }
            return Ok(if used { Taken::Decoded } else { Taken::Ignored });
        }
        self.note_limits(head.rate_limits.as_deref().unwrap_or_default(), at);
        let status = head.status.ok_or(Malformed)?;
        let number = head.id.and_then(|id| u32::try_from(id).ok());
        let Some(pending) = number.and_then(|number| self.pending.take(number)) else {
            self.counters.unmatched += 1;
            if let Some(error) = &head.error {
                let refusal = self.refusal(status, Some(error), None, at);
                self.note_penalty(&refusal, at);
            }
            return Ok(Taken::Ignored);
        };
        if (200..300).contains(&status) {
            self.succeed(&pending, bytes, at, out)?;
        } else {
            let refusal = self.refusal(status, head.error.as_ref(), None, at);
            self.refuse(&pending.what, &refusal, at, out);
        }
        Ok(Taken::Decoded)
    }

    fn take_update(&mut self, channel: Channel, update: &Update, at: At, out: &mut GatewayOut) {
        match update {
            Update::Order(order) => self.apply(order, &[], false, at, out),
            Update::Account(event) => out.account.push(*event),
            Update::StreamEnded => self.on_stream_ended(at, out),
            Update::Shutdown => self.on_shutdown(channel, at),
        }
    }

    pub(crate) fn on_http(
        &mut self,
        answer: &HttpAnswer<'_>,
        now: MonoNanos,
        time: UnixNanos,
        out: &mut GatewayOut,
    ) {
        let at = At { now, time };
        self.last_time = time;
        self.note_headers(answer, at);
        let Some(pending) = self.pending.take(answer.request.0) else {
            self.counters.unmatched += 1;
            self.count(&Ok(Taken::Ignored));
            return;
        };
        let taken = if (200..300).contains(&answer.status) {
            self.succeed(&pending, answer.body, at, out)
        } else {
            let error: Option<ErrorBody<'_>> = serde_json::from_slice(answer.body).ok();
            let retry = header(answer, "retry-after").and_then(|text| text.parse().ok());
            let refusal = self.refusal(answer.status, error.as_ref(), retry, at);
            self.refuse(&pending.what, &refusal, at, out);
            Ok(())
        };
        self.count(&taken.map(|()| Taken::Decoded));
    }

    fn note_headers(&mut self, answer: &HttpAnswer<'_>, at: At) {
        let number = |name| header(answer, name).and_then(|text| text.parse::<u32>().ok());
        if let Some(used) = number("x-mbx-used-weight-1m") {
            self.budget.weight_is(used, None, at.time);
        }
        for (name, length) in [
            ("x-mbx-order-count-10s", Nanos::from_secs(10)),
            ("x-mbx-order-count-1m", Nanos::from_secs(60)),
            ("x-mbx-order-count-1d", Nanos::from_secs(86_400)),
        ] {
            if let Some(used) = number(name) {
                self.budget.orders_are(length, used, None, at.time);
            }
        }
    }

    fn note_limits(&mut self, limits: &[RateLimit<'_>], at: At) {
        for entry in limits {
            let (Some(window), Some(count)) = (entry.window(), entry.count) else {
                continue;
            };
            match entry.rate_limit_type.as_ref() {
                "REQUEST_WEIGHT" if window == Nanos::from_secs(60) => {
                    self.budget.weight_is(count, Some(entry.limit), at.time);
                }
                "ORDERS" => self
                    .budget
                    .orders_are(window, count, Some(entry.limit), at.time),
                _ => {}
            }
        }
    }

    fn refusal(
        &self,
        status: u16,
        error: Option<&ErrorBody<'_>>,
        retry_secs: Option<u64>,
        at: At,
    ) -> Refusal {
        let (code, message) = error.map_or((0, ""), |error| (error.code, error.msg.as_ref()));
        let until = error
            .and_then(|error| error.data.as_ref())
            .and_then(|data| data.retry_after)
            .map(|millis| UnixNanos::from_millis(millis).signed_since(self.venue_time(at)))
            .and_then(|span| u64::try_from(span).ok())
            .map(Nanos);
        let wait = retry_secs
            .map(Nanos::from_secs)
            .or(until)
            .map(|wait| wait.min(BAN_MAX));
        Refusal {
            failure: classify(status, code, message),
            code,
            wait,
        }
    }

    /// Puts us into the penalty box as told.
    fn note_penalty(&mut self, refusal: &Refusal, at: At) {
        match refusal.failure {
            Failure::TooFast { banned } => {
                self.counters.rate_limited += 1;
                if banned {
                    let wait = refusal.wait.unwrap_or(BAN_DEFAULT);
                    self.budget.ban_until(at.now.after(wait));
                } else {
                    let wait = refusal.wait.unwrap_or(BOX_DEFAULT);
                    self.budget.box_until(at.now.after(wait));
                }
            }
            Failure::TooManyOrders => {
                self.counters.rate_limited += 1;
                let wait = refusal.wait.unwrap_or(ORDERS_BOX);
                self.budget.box_until(at.now.after(wait));
            }
            Failure::Refused(_)
            | Failure::Clock
            | Failure::Permission
            | Failure::Unknown
            | Failure::NotFound
            | Failure::CancelRefused
            | Failure::ListenKeyGone
            | Failure::AlreadySubscribed => {}
        }
    }

    /// An error answer to a known request.
    fn refuse(&mut self, asked: &Asked, refusal: &Refusal, at: At, out: &mut GatewayOut) {
        self.note_penalty(refusal, at);
        self.counters.server_errors += u64::from(refusal.failure == Failure::Unknown);
        if refusal.failure == Failure::Permission {
            self.refused = true;
            out.account
                .push(AccountEvent::Refused { code: refusal.code });
            self.tell_readiness(out);
        }
        if refusal.failure == Failure::Clock {
            self.clock_due_at = at.now;
            if asked.kind != RequestKind::Place && !asked.retried {
                self.waiting_for_clock.push(Asked {
                    retried: true,
                    ..*asked
                });
                self.measure_clock(at, out);
                return;
            }
            self.measure_clock(at, out);
        }
        match asked.kind {
            RequestKind::Place => self.refuse_place(asked, refusal, at, out),
            RequestKind::Cancel => {
                let kind = if refusal.failure == Failure::Unknown {
                    ReportKind::Unknown
                } else {
                    ReportKind::CancelRejected
                };
                self.report(out, asked.instrument, asked.order, kind, (UnixNanos(0), at));
            }
            RequestKind::Query => {
                let kind = if refusal.failure == Failure::NotFound {
                    ReportKind::NotFound
                } else {
                    ReportKind::Unknown
                };
                self.report(out, asked.instrument, asked.order, kind, (UnixNanos(0), at));
            }
            RequestKind::CancelAll if refusal.failure == Failure::CancelRefused => {
                // There was none to cancel.
                out.account.push(AccountEvent::CancelAllDone {
                    instrument: asked.instrument,
                });
            }
            RequestKind::Subscribe if refusal.failure == Failure::AlreadySubscribed => {
                self.on_stream_live(at, out);
            }
            // Another connection would be refused as well: an operator must act first.
            RequestKind::Logon | RequestKind::Subscribe
                if refusal.failure == Failure::Permission => {}
            RequestKind::Logon if matches!(refusal.failure, Failure::Refused(_)) => {
                // This venue does not log sessions on: sign every request.
                self.options.session_logon = false;
                self.on_session(false, at, out);
            }
            RequestKind::ListenKeyKeep if refusal.failure == Failure::ListenKeyGone => {
                self.on_stream_ended(at, out);
            }
            RequestKind::Logon
            | RequestKind::Subscribe
            | RequestKind::CancelAll
            | RequestKind::OpenOrders
            | RequestKind::Balances
            | RequestKind::Positions
            | RequestKind::Trades
            | RequestKind::Orders
            | RequestKind::Countdown
            | RequestKind::Time
            | RequestKind::ListenKey
            | RequestKind::ListenKeyKeep => self.fail_quietly(asked, at, out),
        }
    }

    fn refuse_place(&mut self, asked: &Asked, refusal: &Refusal, at: At, out: &mut GatewayOut) {
        let reason = match refusal.failure {
            Failure::Unknown => {
                self.report(
                    out,
                    asked.instrument,
                    asked.order,
                    ReportKind::Unknown,
                    (UnixNanos(0), at),
                );
                return;
            }
            Failure::Refused(reason) => reason,
            Failure::TooFast { .. } | Failure::TooManyOrders => RejectReason::RateLimit,
            Failure::Clock => RejectReason::Clock,
            Failure::Permission => RejectReason::Permission,
            Failure::NotFound
            | Failure::CancelRefused
            | Failure::ListenKeyGone
            | Failure::AlreadySubscribed => RejectReason::Other,
        };
        if let Some(order) = asked.order {
            self.tracker.end(order);
        }
        let code = refusal.code;
        self.report(
            out,
            asked.instrument,
            asked.order,
            ReportKind::Rejected { reason, code },
            (UnixNanos(0), at),
        );
    }

    /// What a failed request means where no order report tells it.
    pub(super) fn fail_quietly(&mut self, asked: &Asked, at: At, out: &mut GatewayOut) {
        if let Some(query) = asked.account_query() {
            out.account.push(AccountEvent::SnapshotFailed(query));
            return;
        }
        match asked.kind {
            RequestKind::CancelAll => out.account.push(AccountEvent::CancelAllFailed {
                instrument: asked.instrument,
            }),
            RequestKind::Logon => self.replace_orders(ReconnectCause::Session, true, at, out),
            RequestKind::Subscribe => {
                self.replace_orders(ReconnectCause::Subscription, true, at, out);
            }
            RequestKind::Time => {
                self.clock_due_at = at.now.after(CLOCK_RETRY);
                for waiting in std::mem::take(&mut self.waiting_for_clock) {
                    self.fail(&waiting, at, out);
                }
            }
            RequestKind::ListenKey => {
                self.listen_key_due_at = at.now.after(self.account.wait());
            }
            RequestKind::ListenKeyKeep => {
                self.listen_key_due_at = at.now.after(Nanos::from_secs(60));
            }
            RequestKind::Trades if asked.trades_for == TradesFor::Recovery => {
                self.recoveries.push(Recovery {
                    instrument: asked.instrument,
                    since: asked.since,
                    not_before: at.now.after(Nanos::from_secs(5)),
                });
            }
            // A missing execution is asked for again when its order is due.
            RequestKind::Countdown => self.switches.on_failure(asked.instrument, at.now),
            RequestKind::Trades
            | RequestKind::Orders
            | RequestKind::Place
            | RequestKind::Cancel
            | RequestKind::Query
            | RequestKind::OpenOrders
            | RequestKind::Balances
            | RequestKind::Positions => {}
        }
    }

    /// A success answer to a known request.
    fn succeed(
        &mut self,
        pending: &Pending<Asked>,
        bytes: &[u8],
        at: At,
        out: &mut GatewayOut,
    ) -> Result<(), Malformed> {
        let asked = pending.what;
        let taken = self.take_result(pending, bytes, at, out);
        if taken.is_err() {
            // The venue did something, and we cannot read what.
            match asked.kind {
                RequestKind::Place | RequestKind::Cancel | RequestKind::Query => self.report(
                    out,
                    asked.instrument,
                    asked.order,
                    ReportKind::Unknown,
                    (UnixNanos(0), at),
                ),
                RequestKind::CancelAll
                | RequestKind::OpenOrders
                | RequestKind::Balances
                | RequestKind::Positions
                | RequestKind::Trades
                | RequestKind::Orders
                | RequestKind::Countdown
                | RequestKind::Logon
                | RequestKind::Subscribe
                | RequestKind::Time
                | RequestKind::ListenKey
                | RequestKind::ListenKeyKeep => self.fail_quietly(&asked, at, out),
            }
        }
        taken
    }

    fn take_result(
        &mut self,
        pending: &Pending<Asked>,
        bytes: &[u8],
        at: At,
        out: &mut GatewayOut,
    ) -> Result<(), Malformed> {
        let asked = pending.what;
        let http = asked.over_http;
        match asked.kind {
            RequestKind::Place | RequestKind::Cancel | RequestKind::Query => {
                let result: OrderResult<'_> = result_body(bytes, http)?;
                let (mut update, fills) = result.read(&self.instruments)?.ok_or(Malformed)?;
                if update.instrument != asked.instrument {
                    return Err(Malformed);
                }
                update.client = asked.order;
                self.apply(&update, &fills, asked.kind == RequestKind::Query, at, out);
            }
            RequestKind::CancelAll => {
                self.take_cancelled(bytes, http, at, out);
                out.account.push(AccountEvent::CancelAllDone {
                    instrument: asked.instrument,
                });
            }
            RequestKind::OpenOrders => self.take_open_orders(bytes, http, at, out)?,
            RequestKind::Balances | RequestKind::Positions => {
                let mut events = Vec::new();
                self.read_account(asked.kind, bytes, http, &mut events)?;
                out.account.extend(events);
                out.account
                    .extend(asked.account_query().map(AccountEvent::SnapshotDone));
            }
            RequestKind::Trades if asked.trades_for == TradesFor::History => {
                self.take_history(&asked, bytes, at, out)?;
            }
            RequestKind::Trades => self.take_trades(&asked, bytes, at, out)?,
            RequestKind::Orders => self.take_owners(&asked, bytes, at, out)?,
            RequestKind::Countdown => {
                let sent_at = pending.sent_at;
                self.switches
                    .on_answer(asked.instrument, asked.window, sent_at);
            }
            RequestKind::Logon => self.on_session(true, at, out),
            RequestKind::Subscribe => self.on_stream_live(at, out),
            RequestKind::Time => self.take_time(pending, bytes, at, out)?,
            RequestKind::ListenKey => {
                let key: binance_usdm::account::ListenKey<'_> = result_body(bytes, http)?;
                self.on_listen_key(key.read()?, at, out);
            }
            RequestKind::ListenKeyKeep => {
                self.listen_key_due_at = at.now.after(binance_usdm::account::LISTEN_KEY_KEEP_EVERY);
            }
        }
        Ok(())
    }

    fn read_account(
        &self,
        kind: RequestKind,
        bytes: &[u8],
        http: bool,
        events: &mut Vec<AccountEvent>,
    ) -> Result<(), Malformed> {
        match (self.flavour, kind) {
            (Flavour::Spot, _) => {
                result_body::<binance_spot::account::Account<'_>>(bytes, http)?.read(events)
            }
            (Flavour::Usdm, RequestKind::Positions) => {
                let rows: Vec<binance_usdm::account::PositionRow<'_>> = result_body(bytes, http)?;
                binance_usdm::account::read_positions(&rows, &self.instruments, events)
            }
            (Flavour::Usdm, _) => {
                result_body::<binance_usdm::account::Account<'_>>(bytes, http)?.read(events)
            }
        }
    }

    /// Spot lists what it cancelled; the events say the same, so a list that cannot be read loses nothing.
    fn take_cancelled(&mut self, bytes: &[u8], http: bool, at: At, out: &mut GatewayOut) {
        let Ok(rows) = result_body::<Vec<OrderResult<'_>>>(bytes, http) else {
            return;
        };
        for row in &rows {
            if let Ok(Some((update, _))) = row.read(&self.instruments) {
                self.apply(&update, &[], false, at, out);
            }
        }
    }

    fn take_open_orders(
        &mut self,
        bytes: &[u8],
        http: bool,
        at: At,
        out: &mut GatewayOut,
    ) -> Result<(), Malformed> {
        let rows: Vec<OrderResult<'_>> = result_body(bytes, http)?;
        for row in &rows {
            let Some(row) = row.read_open(&self.instruments)? else {
                continue;
            };
            let update = row.update;
            if let Some(id) = update.client
                && self.tracker.begin(id, update.instrument, at.now)
            {
                self.tracker.ack(id, update.venue_order_id);
            }
            out.account.push(AccountEvent::OpenOrder {
                instrument: update.instrument,
                client_order_id: update.client,
                venue_order_id: update.venue_order_id,
                side: update.side,
                price: row.price,
                qty: row.qty,
                filled: update.filled,
            });
        }
        out.account
            .push(AccountEvent::SnapshotDone(AccountQuery::OpenOrders));
        Ok(())
    }

    fn take_time(
        &mut self,
        pending: &Pending<Asked>,
        bytes: &[u8],
        at: At,
        out: &mut GatewayOut,
    ) -> Result<(), Malformed> {
        let answer: ServerTime = result_body(bytes, pending.what.over_http)?;
        let sent = pending.what.sent_time;
        let round_trip = at.now.since(pending.sent_at);
        let middle = sent
            .0
            .saturating_add(at.time.signed_since(sent).div_euclid(2));
        // The venue's millisecond is cut off: on average half of one is missing.
        let server = UnixNanos::from_millis(answer.server_time).after(Nanos::from_micros(500));
        let offset_nanos = server.signed_since(UnixNanos(middle));
        let pause = self.clock.measured(offset_nanos, round_trip);
        self.counters.clock_syncs += 1;
        self.clock_due_at = at.now.after(pause);
        out.account.push(AccountEvent::ServerTime {
            offset_nanos,
            round_trip,
        });
        for waiting in std::mem::take(&mut self.waiting_for_clock) {
            self.ask(waiting, at, out);
        }
        Ok(())
    }
}

fn header<'a>(answer: &'a HttpAnswer<'_>, name: &str) -> Option<&'a str> {
    answer
        .headers
        .iter()
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim())
}
