//! `arbalest risk`: look at a running engine and steer it, over its control API.

use std::io::IsTerminal as _;
use std::path::PathBuf;

use serde_json::{Map, Value, json};

use crate::risk::Role;

use super::{CliError, print_json, print_note, print_text};

mod client;
mod show;
pub(super) mod token;

use client::Client;

/// Look at a running engine and steer it.
#[derive(Debug, Clone, clap::Args)]
#[command(
    after_help = "Examples:\n  arbalest risk status\n  arbalest risk halt --reason \"prices look wrong\"\n  \
                  arbalest risk reduce --scope venue:spot_a --reason \"slow venue\"\n  \
                  arbalest risk re-arm request --to armed --reason \"venue is back\"\n  \
                  arbalest risk --as bob re-arm approve TOKEN STATE_HASH --yes\n  \
                  arbalest risk what-if spot_a BTC/USDT buy 0.01 --price 60000\n  \
                  arbalest risk token new alice risk_officer >> tokens; chmod 600 tokens\n\n\
                  Scopes: portfolio (default), venue:ID, asset:BTC, symbol:BTC/USDT, instrument:ID:BTC/USDT, strategy:ID.\n\
                  Tokens: --token-file, or $ARBALEST_TOKEN_FILE, or the running demo's own. docs/RUNBOOK.md: what to do when.\n\n\
                  Exit codes: 0 done, 1 no answer, 2 wrong usage or input, 3 refused by the engine (nothing changed)."
)]
pub struct RiskArgs {
    /// The engine's web server; default the running demo's, or http://127.0.0.1:9464
    #[arg(long, global = true, value_name = "URL")]
    pub url: Option<String>,
    /// File with your line NAME ROLE TOKEN
    #[arg(long, global = true, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// Which line of the token file; default the first
    #[arg(long = "as", global = true, value_name = "NAME")]
    pub name: Option<String>,
    /// Print the engine's JSON answer
    #[arg(long, global = true)]
    pub json: bool,
    /// Do not ask before flatten, drill, approve and confirm
    #[arg(long, global = true)]
    pub yes: bool,
    /// What to do
    #[command(subcommand)]
    pub command: RiskCommand,
}

/// Where and why.
#[derive(Debug, Clone, clap::Args)]
pub struct Where {
    /// Where it holds
    #[arg(long, default_value = "portfolio", value_name = "SCOPE")]
    pub scope: String,
    /// Why, in words; kept in the audit trail
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
}

/// One command.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum RiskCommand {
    /// The engine in a few numbers
    Status,
    /// Every position
    Positions,
    /// Every limit and its use
    Limits,
    /// What is stopped, and why
    Levels,
    /// The last alerts
    Alerts,
    /// The last forced closes
    Closes,
    /// What would the gate say to one order? Nothing is sent
    WhatIf {
        /// Venue instance
        venue: String,
        /// Unified symbol
        symbol: String,
        /// buy or sell
        #[arg(value_parser = ["buy", "sell"])]
        side: String,
        /// Base units or contracts
        quantity: String,
        /// Limit price; default the touch of the other side
        #[arg(long)]
        price: Option<String>,
        /// In whose name; default the first strategy
        #[arg(long)]
        strategy: Option<String>,
    },
    /// K4: cancel once, then send nothing; people act
    Halt(Where),
    /// K1: only orders that reduce a position
    Reduce(Where),
    /// Cancel the open orders; levels stay
    CancelAll(Where),
    /// K3: close every position
    Flatten(Where),
    /// Raise to a level: reduce_only, cancel_all, flatten, halt
    Raise {
        /// The level
        #[arg(value_parser = ["reduce_only", "cancel_all", "flatten", "halt"])]
        level: String,
        /// Where and why
        #[command(flatten)]
        place: Where,
    },
    /// Lower a level: request, then approve
    #[command(subcommand, name = "re-arm")]
    ReArm(ReArm),
    /// You have seen the open critical alerts
    Ack,
    /// Read limits.toml again, or confirm its looser part with --token and --hash
    Reload {
        /// Why, in words
        #[arg(long, required_unless_present = "token")]
        reason: Option<String>,
        /// As answered to the proposal
        #[arg(long, requires = "hash")]
        token: Option<String>,
        /// As answered to the proposal
        #[arg(long, requires = "token")]
        hash: Option<String>,
    },
    /// Rehearse flattening in paper mode, and measure it
    Drill(Where),
    /// Tokens
    #[command(subcommand)]
    Token(Token),
}

/// Lowering a level takes two steps, and often two people.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum ReArm {
    /// Ask: shows what would be lowered, with a token that is good for 60 s
    Request {
        /// Level after approval: armed, reduce_only, cancel_all, flatten
        #[arg(long, default_value = "armed", value_parser = ["armed", "reduce_only", "cancel_all", "flatten"])]
        to: String,
        /// Where and why
        #[command(flatten)]
        place: Where,
    },
    /// Approve what was shown
    Approve {
        /// As answered to the request
        token: String,
        /// As answered to the request
        state_hash: String,
    },
}

/// Tokens.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum Token {
    /// Make a token: prints the line for the tokens file
    New {
        /// Name of the person
        name: String,
        /// viewer, trader, risk_officer or admin
        #[arg(value_parser = Role::ALL.map(Role::label))]
        role: String,
    },
}

/// What a command asks of the engine.
struct Request {
    path: &'static str,
    body: Option<Value>,
    asks_first: Option<String>,
}

impl Request {
    const fn get(path: &'static str) -> Self {
        Self {
            path,
            body: None,
            asks_first: None,
        }
    }
    const fn post(path: &'static str, body: Value) -> Self {
        Self {
            path,
            body: Some(body),
            asks_first: None,
        }
    }
    fn asking(self, question: String) -> Self {
        Self {
            asks_first: Some(question),
            ..self
        }
    }
}

/// Runs the command.
///
/// # Errors
/// Exit code 1 without an answer, 2 for wrong usage or input, 3 when the engine refuses.
pub fn run(args: &RiskArgs) -> Result<(), CliError> {
    if let RiskCommand::Token(Token::New { name, role }) = &args.command {
        print_text(&token::new_line(name, role)?);
        print_note(
            "put this line into the tokens file (chmod 600); the engine reads it at its start",
        );
        return Ok(());
    }
    let request = request(&args.command);
    if let Some(question) = &request.asks_first
        && !args.yes
    {
        confirm(question)?;
    }
    let client = Client::find(
        args.url.as_deref(),
        args.token_file.as_deref(),
        args.name.as_deref(),
    )?;
    let answer = actix::System::new().block_on(client.ask(request.path, request.body.as_ref()))?;
    if args.json {
        print_json(&answer)?;
    } else {
        print_text(&show::show(&args.command, &answer)?);
    }
    if matches!(args.command, RiskCommand::WhatIf { .. })
        && answer.get("approved") == Some(&Value::Bool(false))
    {
        return Err(CliError::refused("the gate would refuse it"));
    }
    Ok(())
}

fn place(place: &Where) -> Value {
    json!({"scope": place.scope, "reason": place.reason})
}

fn request(command: &RiskCommand) -> Request {
    match command {
        RiskCommand::Status => Request::get("/api/v1/status"),
        RiskCommand::Positions => Request::get("/api/v1/positions"),
        RiskCommand::Limits => Request::get("/api/v1/limits"),
        RiskCommand::Levels => Request::get("/api/v1/levels"),
        RiskCommand::Alerts => Request::get("/api/v1/alerts"),
        RiskCommand::Closes => Request::get("/api/v1/closes"),
        RiskCommand::WhatIf {
            venue,
            symbol,
            side,
            quantity,
            price,
            strategy,
        } => {
            let given = [
                ("venue", venue),
                ("symbol", symbol),
                ("side", side),
                ("quantity", quantity),
            ];
            order(&given, &[("price", price), ("strategy", strategy)])
        }
        RiskCommand::Halt(at) => Request::post("/api/v1/halt", place(at)),
        RiskCommand::Reduce(at) => Request::post("/api/v1/reduce", place(at)),
        RiskCommand::CancelAll(at) => Request::post("/api/v1/cancel-all", place(at)),
        RiskCommand::Flatten(at) => Request::post("/api/v1/flatten", place(at))
            .asking(format!("close every position of {}", at.scope)),
        RiskCommand::Raise { level, place } => {
            let body = json!({"level": level, "scope": place.scope, "reason": place.reason});
            Request::post("/api/v1/raise", body)
        }
        RiskCommand::ReArm(ReArm::Request { to, place }) => {
            let body = json!({"level": to, "scope": place.scope, "reason": place.reason});
            Request::post("/api/v1/re-arm/request", body)
        }
        RiskCommand::ReArm(ReArm::Approve { token, state_hash }) => {
            let body = json!({"token": token, "state_hash": state_hash});
            Request::post("/api/v1/re-arm/approve", body)
                .asking("let the engine take risk again".to_owned())
        }
        RiskCommand::Ack => Request::post("/api/v1/ack", json!({})),
        RiskCommand::Reload {
            reason,
            token: Some(token),
            hash,
        } => {
            let body = json!({"token": token, "hash": hash.as_deref().or(reason.as_deref()).unwrap_or_default()});
            Request::post("/api/v1/reload/confirm", body)
                .asking("put looser limits in force".to_owned())
        }
        RiskCommand::Reload {
            reason,
            token: None,
            ..
        } => Request::post(
            "/api/v1/reload/propose",
            json!({"reason": reason.as_deref().unwrap_or_default()}),
        ),
        RiskCommand::Drill(at) => Request::post("/api/v1/drill", place(at)).asking(format!(
            "close every position of {} as a rehearsal",
            at.scope
        )),
        RiskCommand::Token(Token::New { .. }) => Request::get("/api/v1/openapi.json"),
    }
}

fn order(given: &[(&str, &String)], optional: &[(&str, &Option<String>)]) -> Request {
    let optional = optional
        .iter()
        .filter_map(|(key, value)| Some((*key, value.as_ref()?)));
    let body: Map<String, Value> = given
        .iter()
        .copied()
        .chain(optional)
        .map(|(key, value)| (key.to_owned(), json!(value)))
        .collect();
    Request::post("/api/v1/what-if", Value::Object(body))
}

/// Asks the person in front of the terminal.
fn confirm(question: &str) -> Result<(), CliError> {
    if !std::io::stdin().is_terminal() {
        return Err(CliError::usage(format!("this would {question}: add --yes")));
    }
    print_note(&format!("this will {question}. Type yes to go on:"));
    let mut line = String::new();
    let read = std::io::stdin().read_line(&mut line);
    if read.is_ok() && line.trim() == "yes" {
        return Ok(());
    }
    Err(CliError::usage("not done: the answer was not yes"))
}
