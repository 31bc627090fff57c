//! The live world: actix actors around the rooms, sockets, threads, start and stop.
//!
//! An actor owns supervision and wiring only; every decision is a plain call into a room. Each seat's file shows what it owns,
//! what it hears and whom it tells.

pub mod account;
pub mod alerts;
pub mod board;
mod control;
mod edges;
pub mod execution;
pub mod feed;
pub mod gateway;
mod heart;
mod link;
pub mod mailbox;
mod outcome;
mod picture;
pub mod position;
mod reach;
mod ready;
mod records;
mod recover;
pub mod reload;
pub mod risk;
mod rules;
mod sampler;
mod seats;
pub mod signal;
mod start;
pub mod system;
pub mod watchdog;
