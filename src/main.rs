//! The `arbalest` binary: parses the command line, runs one subcommand, exits with its code.

use std::process::ExitCode;

use arbalest::cli::{self, CliError};
use clap::{Parser, Subcommand};

#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The arbitrage engine that explains itself and fails closed.
#[derive(Debug, Parser)]
#[command(
    name = "arbalest",
    version,
    after_help = "Examples:\n  arbalest                         the demo: three simulated venues and the engine; page on http://127.0.0.1:9464\n  \
                  arbalest demo --for 30s          the same, ends by itself with a summary\n  \
                  arbalest simulate --for 10m      the same engine in virtual time, as fast as the CPU allows\n  \
                  arbalest risk status             look at it and steer it from a second terminal\n  \
                  arbalest why                     why has it traded, or not?\n  \
                  arbalest drill                   rehearse flattening: how long, at what cost\n  \
                  arbalest check --config config   is this configuration right?\n  \
                  arbalest inspect FILE --venue binance_spot\n\n\
                  Exit codes: 0 done, 1 failed while running, 2 wrong usage, configuration or input (nothing was started).\n\
                  Diagnostics go to standard error; ARBALEST_LOG=info|debug|trace shows more of them."
)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start simulated venues and the engine against them (what `arbalest` alone does)
    Demo(cli::demo::DemoArgs),
    /// Run the engine against the venues of a configuration
    Run(cli::run::RunArgs),
    /// Look at a running engine and steer it: halt, reduce, flatten, re-arm
    Risk(cli::risk::RiskArgs),
    /// Check a configuration: every mistake at once, and whether it can earn
    Check(cli::check::CheckArgs),
    /// Write, check and understand a configuration: new, check, schema, explain, diff
    Config(cli::config::ConfigArgs),
    /// How many sets the balances last, and what to move where; advises only
    Inventory(cli::inventory::InventoryArgs),
    /// Watch a running engine from outside; cancel and flatten when it is gone
    Watchdog(cli::watchdog::WatchdogArgs),
    /// Run one simulated venue on real sockets, for your own bots
    Venue(cli::venue::VenueArgs),
    /// Run the engine and the simulated venues in virtual time
    Simulate(cli::simulate::SimulateArgs),
    /// Rehearse flattening against simulated venues: time, cost, net
    Drill(cli::drill::DrillArgs),
    /// Read a recording: counts, gaps, final books
    Inspect(cli::inspect::InspectArgs),
    /// Why has it traded, or not? Edges, refusals with their numbers, lifetimes, money by part
    Why(cli::why::WhyArgs),
    /// Verify and show the record of what happened: the journal and the audit chain of the database
    Audit(cli::audit::AuditArgs),
    /// Try the receivers of alerts
    Alert(cli::alert::AlertArgs),
    /// Positions and PnL of a list of fills, exactly
    Ledger(cli::ledger::LedgerArgs),
}

fn main() -> ExitCode {
    let command = Cli::parse()
        .command
        .unwrap_or_else(|| Command::Demo(cli::demo::DemoArgs::default()));
    match run(&command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            cli::print_failure(&error);
            ExitCode::from(error.code)
        }
    }
}

fn run(command: &Command) -> Result<(), CliError> {
    match command {
        Command::Demo(args) => cli::demo::run(args),
        Command::Run(args) => cli::run::run(args),
        Command::Risk(args) => cli::risk::run(args),
        Command::Check(args) => cli::check::run(args),
        Command::Config(args) => cli::config::run(args),
        Command::Inventory(args) => cli::inventory::run(args),
        Command::Watchdog(args) => cli::watchdog::run(args),
        Command::Venue(args) => cli::venue::run(args),
        Command::Simulate(args) => cli::simulate::run(args),
        Command::Drill(args) => cli::drill::run(args),
        Command::Inspect(args) => cli::inspect::run(args),
        Command::Why(args) => cli::why::run(args),
        Command::Audit(args) => cli::audit::run(args),
        Command::Alert(args) => cli::alert::run(args),
        Command::Ledger(args) => cli::ledger::run(args),
    }
}
