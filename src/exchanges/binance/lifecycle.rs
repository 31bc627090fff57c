//! Connections and time: logging on, the account stream and its key, losses, rotation, time-outs, recovery.

use crate::exchanges::gateway::GatewayOut;
use crate::exchanges::secret::KeyKind;
use crate::exchanges::{Action, Channel, ReconnectCause, binance_spot, binance_usdm};
use crate::trade::ReportKind;
use crate::units::{MonoNanos, Nanos, UnixNanos};

use super::answers::UNANSWERED_MAX;
use super::clock::CLOCK_EVERY;
use super::line::{LineState, opening};
use super::machine::{Asked, At, Flavour, Machine, Recovery, RequestKind, Session, TradesFor};

/// A planned replacement waits this long for requests in flight.
const ROTATION_PATIENCE: Nanos = Nanos::from_secs(5);
/// An interruption of the account stream is taken to have begun this much before it was noticed.
const INTERRUPTION_LEAD_NANOS: i64 = 60 * 1_000_000_000;

impl Machine {
    pub(crate) fn start(&mut self, now: MonoNanos, time: UnixNanos, out: &mut GatewayOut) {
        let at = At { now, time };
        self.last_time = time;
        self.measure_clock(at, out);
        self.orders.state = opening(now, Nanos::ZERO);
        let target = match self.flavour {
            Flavour::Spot => binance_spot::orders::ORDERS_TARGET,
            Flavour::Usdm => binance_usdm::orders::ORDERS_TARGET,
        };
        out.actions.push(Action::Open {
            channel: Channel::Orders,
            target: target.to_owned(),
        });
        if self.flavour == Flavour::Usdm {
            self.make_listen_key(at, out);
        }
    }

    pub(crate) fn on_open(
        &mut self,
        channel: Channel,
        now: MonoNanos,
        time: UnixNanos,
        out: &mut GatewayOut,
    ) {
        let at = At { now, time };
        match channel {
            Channel::Orders => {
                // A connection that was replaced without a word is a lost one.
                if self.orders.is_open() {
                    self.drop_orders(at, out);
                }
                self.orders.state = LineState::Open(now);
                self.rotate_orders = None;
                if self.options.session_logon && self.credentials.kind() == KeyKind::Ed25519 {
                    self.session = Session::LoggingOn;
                    self.ask(Asked::new(RequestKind::Logon), at, out);
                } else {
                    self.on_session(false, at, out);
                }
            }
            Channel::Account => {
                self.account.state = LineState::Open(now);
                self.rotate_account = None;
                self.on_stream_live(at, out);
            }
            Channel::Market => {}
        }
    }

    /// The order connection may be used: logged on, or signing each request.
    pub(super) fn on_session(&mut self, logged_on: bool, at: At, out: &mut GatewayOut) {
        self.session = if logged_on {
            Session::LoggedOn
        } else {
            Session::Signing
        };
        if self.flavour == Flavour::Spot {
            self.ask(Asked::new(RequestKind::Subscribe), at, out);
        }
        self.tell_readiness(out);
    }

    pub(super) fn on_stream_live(&mut self, at: At, out: &mut GatewayOut) {
        self.stream_live = true;
        self.refused = false;
        let venue_time = self.venue_time(at);
        self.session_began.get_or_insert(venue_time);
        if let Some(since) = self.interrupted_at.take() {
            for instrument in self.instruments.all() {
                self.recoveries.push(Recovery {
                    instrument: instrument.id,
                    since,
                    not_before: at.now,
                });
            }
        }
        self.tell_readiness(out);
    }

    fn interrupt_stream(&mut self, at: At, out: &mut GatewayOut) {
        if std::mem::replace(&mut self.stream_live, false) && self.interrupted_at.is_none() {
            let since = self.venue_time(at).0 - INTERRUPTION_LEAD_NANOS;
            let began = self.session_began.map_or(since, |began| began.0);
            self.interrupted_at = Some(UnixNanos(since.max(began)));
        }
        self.tell_readiness(out);
    }

    /// The venue ended the account stream: its key expired, or it asks for a new subscription.
    pub(super) fn on_stream_ended(&mut self, at: At, out: &mut GatewayOut) {
        self.interrupt_stream(at, out);
        match self.flavour {
            Flavour::Spot => self.ask(Asked::new(RequestKind::Subscribe), at, out),
            Flavour::Usdm => {
                self.listen_key = None;
                self.make_listen_key(at, out);
            }
        }
    }

    pub(super) const fn on_shutdown(&mut self, channel: Channel, at: At) {
        let by = Some(at.now.after(ROTATION_PATIENCE));
        match channel {
            Channel::Orders => self.rotate_orders = by,
            Channel::Account => self.rotate_account = by,
            Channel::Market => {}
        }
    }

    fn make_listen_key(&mut self, at: At, out: &mut GatewayOut) {
        // Until answered; the answer or the failure sets the real one.
        self.listen_key_due_at = at.now.after(Nanos::from_secs(60));
        self.ask(Asked::new(RequestKind::ListenKey), at, out);
    }

    pub(super) fn on_listen_key(&mut self, key: String, at: At, out: &mut GatewayOut) {
        self.listen_key_due_at = at.now.after(binance_usdm::account::LISTEN_KEY_KEEP_EVERY);
        self.account.state = opening(at.now, Nanos::ZERO);
        out.actions.push(Action::Open {
            channel: Channel::Account,
            target: binance_usdm::account::account_target(&key),
        });
        self.listen_key = Some(key);
    }

    pub(crate) fn on_closed(
        &mut self,
        channel: Channel,
        now: MonoNanos,
        time: UnixNanos,
        out: &mut GatewayOut,
    ) {
        let at = At { now, time };
        match channel {
            Channel::Orders => self.replace_orders(ReconnectCause::Lost, true, at, out),
            Channel::Account if self.account.state == LineState::Down => {}
            Channel::Account => {
                // The key may be what died: ask for it again (the venue returns the same one while it lives).
                self.counters.reconnects += 1;
                self.listen_key = None;
                self.listen_key_due_at = now.after(self.account.lost(now));
                self.account.state = LineState::Down;
                self.interrupt_stream(at, out);
            }
            Channel::Market => {}
        }
    }

    /// Closes the order connection and asks for another, at once or after a wait.
    pub(super) fn replace_orders(
        &mut self,
        cause: ReconnectCause,
        with_wait: bool,
        at: At,
        out: &mut GatewayOut,
    ) {
        if self.orders.state == LineState::Down || self.refused && !self.orders.is_open() {
            return;
        }
        let wait = self.orders.lost(at.now);
        self.drop_orders(at, out);
        self.counters.reconnects += 1;
        out.actions.push(Action::Reconnect {
            channel: Channel::Orders,
            cause,
            delay: if with_wait { wait } else { Nanos::ZERO },
        });
    }

    /// What was in flight on the order connection is now unknown.
    fn drop_orders(&mut self, at: At, out: &mut GatewayOut) {
        if self.orders.is_open() {
            self.orders.state = opening(at.now, Nanos::ZERO);
        }
        self.session = Session::Signing;
        self.rotate_orders = None;
        if self.flavour == Flavour::Spot {
            self.interrupt_stream(at, out);
        }
        for pending in self.pending.take_where(|entry| !entry.what.over_http) {
            if !pending.overdue {
                self.lose(&pending.what, at, out);
            }
        }
        self.tell_readiness(out);
    }

    /// A request got no answer: what it was about is unknown.
    fn lose(&mut self, asked: &Asked, at: At, out: &mut GatewayOut) {
        match asked.kind {
            RequestKind::Place | RequestKind::Cancel | RequestKind::Query => self.report(
                out,
                asked.instrument,
                asked.order,
                ReportKind::Unknown,
                (UnixNanos(0), at),
            ),
            // A connection that is gone needs no second replacement.
            RequestKind::Logon | RequestKind::Subscribe if !self.orders.is_open() => {}
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

    pub(super) fn measure_clock(&mut self, at: At, out: &mut GatewayOut) {
        if self.pending.any(|asked| asked.kind == RequestKind::Time) {
            return;
        }
        self.clock_due_at = at.now.after(CLOCK_EVERY);
        self.clock.ask(self.options.clock_samples);
        self.ask(Asked::new(RequestKind::Time), at, out);
    }

    pub(crate) fn on_timer(&mut self, now: MonoNanos, time: UnixNanos, out: &mut GatewayOut) {
        let at = At { now, time };
        self.last_time = time;
        if self.clock.look(now, time) {
            self.clock_due_at = now;
        }
        let mut expired = Vec::new();
        self.pending.expire(now, &mut expired);
        for pending in expired {
            self.counters.timeouts += 1;
            self.lose(&pending.what, at, out);
        }
        self.ask_missing_fills(at, out);
        if self.orders.state == LineState::Down || self.budget.is_banned(now) {
            return;
        }
        if now >= self.clock_due_at {
            self.measure_clock(at, out);
        }
        if self.flavour == Flavour::Usdm && now >= self.listen_key_due_at && !self.refused {
            if self.listen_key.is_some() {
                self.listen_key_due_at = now.after(Nanos::from_secs(60));
                self.ask(Asked::new(RequestKind::ListenKeyKeep), at, out);
            } else {
                self.make_listen_key(at, out);
            }
        }
        if self.orders.is_overdue(now) {
            self.replace_orders(ReconnectCause::Lost, true, at, out);
        }
        if self.account.is_overdue(now) {
            self.on_closed(Channel::Account, now, time, out);
        }
        self.rotate(at, out);
        self.recover(at, out);
        self.refresh_switches(at, out);
    }

    /// Replaces connections before the venue cuts them, or because it said it will.
    fn rotate(&mut self, at: At, out: &mut GatewayOut) {
        let patience = at.now.after(ROTATION_PATIENCE);
        let old = |age: Option<Nanos>| age.is_some_and(|age| age >= self.options.rotate_after);
        if self.rotate_orders.is_none() && old(self.orders.age(at.now)) {
            self.rotate_orders = Some(patience);
        }
        let account_old = old(self.account.age(at.now));
        if let Some(by) = self.rotate_orders {
            let idle = !self.pending.any(|asked| !asked.over_http);
            if idle || at.now >= by {
                self.replace_orders(ReconnectCause::Rotation, false, at, out);
            }
        }
        if (account_old || self.rotate_account.is_some()) && self.account.is_open() {
            self.rotate_account = None;
            self.counters.reconnects += 1;
            self.account.state = opening(at.now, Nanos::ZERO);
            self.interrupt_stream(at, out);
            out.actions.push(Action::Reconnect {
                channel: Channel::Account,
                cause: ReconnectCause::Rotation,
                delay: Nanos::ZERO,
            });
        }
    }

    /// Asks for the executions of an interruption, once no placement could be theirs.
    fn recover(&mut self, at: At, out: &mut GatewayOut) {
        if !self.stream_live || self.recoveries.is_empty() {
            return;
        }
        let oldest = MonoNanos(at.now.0.saturating_sub(UNANSWERED_MAX.0));
        for recovery in std::mem::take(&mut self.recoveries) {
            if at.now < recovery.not_before
                || self.tracker.has_unanswered(recovery.instrument, oldest)
            {
                self.recoveries.push(recovery);
                continue;
            }
            let asked = Asked {
                instrument: recovery.instrument,
                since: recovery.since,
                trades_for: TradesFor::Recovery,
                ..Asked::new(RequestKind::Trades)
            };
            self.ask(asked, at, out);
        }
    }
}
