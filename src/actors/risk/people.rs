//! What people ask of the monitor, and the start's own words to it.

use actix::prelude::{Addr, Handler, Message};

use crate::actors::signal::SignalSeat;
use crate::risk::{LevelState, LossPoint, Monitor, OperatorCommand, OperatorDone, OperatorRefusal};

use super::RiskSeat;

/// What a person asks.
#[derive(Debug, Clone, Message)]
#[rtype(result = "Result<OperatorDone, OperatorRefusal>")]
pub struct Operator(pub OperatorCommand);

/// Start-up begins: reduce only.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub struct StartupBegins;

/// What the last session held.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub struct RestoreLevels(pub LevelState);

/// What earlier sessions lost and earned, oldest first. After the baselines of the positions.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub struct RestoreLosses(pub Vec<LossPoint>);

/// Order entry is live: what restored levels cancel can be sent now.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub struct OrdersLive;

/// Start-up found what it waited for.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub struct StartupReconciled(pub String);

/// The signal seat exists now.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub struct BindSignal(pub Addr<SignalSeat>);

impl Handler<Operator> for RiskSeat {
    type Result = Result<OperatorDone, OperatorRefusal>;
    fn handle(&mut self, message: Operator, context: &mut Self::Context) -> Self::Result {
        self.drive(context, |monitor, now, out| {
            monitor.on_operator(message.0, now, out)
        })
    }
}

impl Handler<StartupBegins> for RiskSeat {
    type Result = ();
    fn handle(&mut self, _: StartupBegins, context: &mut Self::Context) {
        self.drive(context, Monitor::startup_begins);
    }
}

impl Handler<RestoreLevels> for RiskSeat {
    type Result = ();
    fn handle(&mut self, message: RestoreLevels, context: &mut Self::Context) {
        self.drive(context, |monitor, now, out| {
            monitor.restore_levels(message.0, now, out);
        });
    }
}

impl Handler<RestoreLosses> for RiskSeat {
    type Result = ();
    fn handle(&mut self, message: RestoreLosses, context: &mut Self::Context) {
        self.drive(context, |monitor, _, _| monitor.restore_losses(&message.0));
    }
}

impl Handler<OrdersLive> for RiskSeat {
    type Result = ();
    fn handle(&mut self, _: OrdersLive, context: &mut Self::Context) {
        self.drive(context, Monitor::cancel_again);
    }
}

impl Handler<StartupReconciled> for RiskSeat {
    type Result = ();
    fn handle(&mut self, message: StartupReconciled, context: &mut Self::Context) {
        self.drive(context, |monitor, now, out| {
            monitor.startup_reconciled(&message.0, now, out);
        });
    }
}

impl Handler<BindSignal> for RiskSeat {
    type Result = ();
    fn handle(&mut self, message: BindSignal, _: &mut Self::Context) {
        self.signal = Some(message.0);
    }
}
