//! Seats that the risk seat hears of after it exists.

use actix::prelude::{Addr, Context, Handler, Message};

use crate::actors::account::AccountSeat;
use crate::actors::execution::ExecutionSeat;
use crate::actors::position::PositionSeat;

use super::RiskSeat;

/// The execution seat exists now.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub struct BindExecution(pub Addr<ExecutionSeat>);

impl Handler<BindExecution> for RiskSeat {
    type Result = ();
    fn handle(&mut self, message: BindExecution, _: &mut Context<Self>) {
        self.execution = Some(message.0);
    }
}

/// The account seat exists now.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub struct BindAccount(pub Addr<AccountSeat>);

impl Handler<BindAccount> for RiskSeat {
    type Result = ();
    fn handle(&mut self, message: BindAccount, _: &mut Context<Self>) {
        self.account = Some(message.0);
    }
}

/// The position seat exists now.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub(in crate::actors) struct BindPosition(pub(in crate::actors) Addr<PositionSeat>);

impl Handler<BindPosition> for RiskSeat {
    type Result = ();
    fn handle(&mut self, message: BindPosition, _: &mut Context<Self>) {
        self.quotes.position = Some(message.0);
    }
}
