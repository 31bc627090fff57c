//! The gate's refusals that raise a kill level, from the signal seat to the monitor.

use actix::prelude::{Handler, Message};

use crate::risk::GateRaise;

use super::RiskSeat;

/// Kill levels that the gate's refusals raise.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub struct GateRaises(pub Vec<GateRaise>);

impl Handler<GateRaises> for RiskSeat {
    type Result = ();
    fn handle(&mut self, message: GateRaises, context: &mut Self::Context) {
        for raise in &message.0 {
            self.drive(context, |monitor, now, out| {
                monitor.on_gate_raise(raise, now, out);
            });
        }
    }
}
