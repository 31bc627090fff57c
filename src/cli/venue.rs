//! `arbalest venue`: one simulated venue on loopback, for anybody's bot.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

use crate::clock::{Clock, OsClock};
use crate::exchanges::Dialect;
use crate::sim::server::{Pace, ServerStatus, VenueServer};
use crate::sim::venue::VenueCore;

use super::{CliError, print_json, print_note, print_text};

mod market;

use market::{Failure, from_model, from_recordings, funded};

/// Key of the demo account when none is given. It opens nothing but this simulated venue.
const DEMO_KEY: &str = "arbalest-demo-key";
/// Its secret.
const DEMO_SECRET: &str = "arbalest-demo-secret";
/// How often a broken recording is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Runs one simulated venue on loopback WebSockets and HTTP, with one well-funded account.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
The market is a recording, or the seeded model. Point a client's REST address at `http` and its WebSocket address at\n\
`ws`: spot streams at ws/stream or ws/ws, its API at ws/ws-api/v3; USD-M at ws/public, ws/market, ws/private, ws/ws-fapi/v1.\n\
A recording starts when its depth streams are subscribed.\n\n\
Examples:\n  arbalest venue --dialect binance_spot --port 9000\n  \
arbalest venue --dialect binance_usdm --port 0 --json --for 60s\n  \
arbalest venue --dialect binance_spot --recording btcusdt.gz --speed max\n\n\
Exit codes: 0 ended in order, 1 an address is in use, 2 wrong usage or an unreadable recording.")]
pub struct VenueArgs {
    /// Wire protocol: binance_spot or binance_usdm.
    #[arg(long, value_name = "NAME", value_parser = parse_dialect)]
    pub dialect: Dialect,
    /// Port of the REST API on 127.0.0.1; 0 picks a free one.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub port: u16,
    /// Port of the WebSockets; when absent the next after --port, or a free one.
    #[arg(long, value_name = "N")]
    pub ws_port: Option<u16>,
    /// Recordings to play, or directories of them; may be repeated.
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with = "seed")]
    pub recording: Vec<PathBuf>,
    /// Seed of the market model.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Symbols of the model's market; may be repeated [default: BTC/USDT ETH/USDT].
    #[arg(long, value_name = "SYMBOL", conflicts_with = "recording")]
    pub symbol: Vec<String>,
    /// API key of the account.
    #[arg(long, value_name = "TEXT", default_value = DEMO_KEY)]
    pub key: String,
    /// Its HMAC secret.
    #[arg(long, value_name = "TEXT", default_value = DEMO_SECRET)]
    pub secret: String,
    /// 1, a whole factor, or max (as fast as the clients read).
    #[arg(long, value_name = "N|max", default_value = "1", value_parser = parse_speed)]
    pub speed: Pace,
    /// End after this time, such as 500ms, 30s, 10m.
    #[arg(long = "for", value_name = "TIME", value_parser = parse_time)]
    pub time: Option<Duration>,
    /// Print one JSON line on standard output once it listens.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Serialize)]
struct Listening<'a> {
    dialect: &'static str,
    http: String,
    ws: String,
    api_key: &'a str,
    api_secret: &'a str,
    symbols: Vec<String>,
}

fn parse_dialect(text: &str) -> Result<Dialect, String> {
    let known = || Dialect::ALL.map(Dialect::label).join(" or ");
    Dialect::parse(text).ok_or_else(|| format!("dialects are {}", known()))
}

fn parse_speed(text: &str) -> Result<Pace, String> {
    match text {
        "max" => Ok(Pace::Max),
        "1" => Ok(Pace::RealTime),
        _ => match text.parse::<u32>() {
            Ok(times) if times > 0 => Ok(Pace::Times(times)),
            Ok(_) | Err(_) => Err(String::from("speed is 1, a whole factor, or max")),
        },
    }
}

fn parse_time(text: &str) -> Result<Duration, String> {
    let digits = text
        .find(|letter: char| !letter.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: u64 = number
        .parse()
        .map_err(|_not_a_number| String::from("time is a whole number with ms, s, m or h"))?;
    let factor = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(String::from("time is a whole number with ms, s, m or h")),
    };
    Ok(Duration::from_millis(number.saturating_mul(factor)))
}

/// Runs the venue until its time is over or a signal comes.
///
/// # Errors
/// Code 1 when an address cannot be listened on; code 2 for wrong usage or a recording that cannot be read or breaks off.
pub fn run(args: &VenueArgs) -> Result<(), CliError> {
    let now = OsClock::new().now_unix();
    let failure = Failure::default();
    let (symbols, tape) = if args.recording.is_empty() {
        from_model(args, now)?
    } else {
        from_recordings(args, &failure)?
    };
    let names: Vec<String> = symbols.iter().map(|symbol| symbol.native.clone()).collect();
    let core = VenueCore::new(funded(args, symbols), now);
    let local = |port| SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
    let ws_port = args.ws_port.unwrap_or(if args.port == 0 {
        0
    } else {
        args.port.saturating_add(1)
    });
    let server = VenueServer::start(
        core,
        Some(tape),
        args.speed,
        local(args.port),
        local(ws_port),
    )
    .map_err(|error| CliError::failed(error.to_string()))?;
    let listening = Listening {
        dialect: args.dialect.label(),
        http: server.http_url(),
        ws: server.ws_url(),
        api_key: &args.key,
        api_secret: &args.secret,
        symbols: names,
    };
    if args.json {
        print_json(&listening)?;
    } else {
        let Listening {
            dialect,
            http,
            ws,
            api_key,
            api_secret,
            symbols,
        } = &listening;
        let symbols = symbols.join(" ");
        print_text(&format!(
            "{dialect}  {symbols}\nREST        {http}\nWebSockets  {ws}\nkey         {api_key}\nsecret      {api_secret}"
        ));
    }
    let ended = wait(args.time, &failure)?;
    summarize(server.stop());
    match ended {
        Some(reason) => Err(CliError::usage(reason)),
        None => Ok(()),
    }
}

/// Waits for the end: the time, a signal, or a recording that broke off (then its reason).
fn wait(time: Option<Duration>, failure: &Failure) -> Result<Option<String>, CliError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| CliError::failed(format!("cannot wait for signals: {error}")))?;
    let broken = async {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            if let Some(reason) = failure.lock().ok().and_then(|slot| slot.clone()) {
                return reason;
            }
        }
    };
    let over = async {
        match time {
            Some(time) => tokio::time::sleep(time).await,
            None => std::future::pending().await,
        }
    };
    runtime.block_on(async {
        let mut terminate =
            tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
                .map_err(|error| CliError::failed(format!("cannot wait for signals: {error}")))?;
        tokio::select! {
            reason = broken => Ok(Some(reason)),
            () = over => Ok(None),
            _ = terminate.recv() => Ok(None),
            _ = tokio::signal::ctrl_c() => Ok(None),
        }
    })
}

fn summarize(status: ServerStatus) {
    let ServerStatus {
        tape_done,
        tape_events,
        connections_opened,
        slow_clients,
        messages_sent,
        ..
    } = status;
    let ServerStatus {
        messages_received,
        http_requests,
        ..
    } = status;
    let tape = if tape_done { "ended" } else { "was running" };
    print_note(&format!(
        "venue ended: {tape_events} market events (the tape {tape}), {connections_opened} connections \
         ({slow_clients} cut as too slow), {messages_sent} messages sent, {messages_received} received, \
         {http_requests} HTTP requests"
    ));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        args: VenueArgs,
    }

    #[test]
    fn the_command_line_is_sound_and_a_taken_port_is_named() {
        <Line as clap::CommandFactory>::command().debug_assert();
        let taken = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = taken.local_addr().unwrap().port().to_string();
        let line = ["x", "--dialect", "binance_usdm", "--for", "1ms", "--port"];
        let parse =
            |port: &str| <Line as clap::Parser>::try_parse_from(line.into_iter().chain([port]));
        let error = run(&parse(&port).unwrap().args).unwrap_err();
        assert_eq!(error.code, 1);
        assert!(error.message.contains(&port), "{}", error.message);
        assert_eq!(run(&parse("0").unwrap().args), Ok(()));
        assert!(<Line as clap::Parser>::try_parse_from(["x", "--dialect", "nasdaq"]).is_err());
    }

    #[test]
    fn a_foreign_file_is_wrong_usage() {
        let line = [
            "x",
            "--dialect",
            "binance_spot",
            "--recording",
            "Cargo.toml",
        ];
        let args = <Line as clap::Parser>::try_parse_from(line).unwrap().args;
        let error = run(&args).unwrap_err();
        assert_eq!(error.code, 2);
        assert!(error.message.contains("Cargo.toml"), "{}", error.message);
    }

    #[test]
    fn speeds_and_times_are_read_or_refused() {
        assert_eq!(parse_speed("max"), Ok(Pace::Max));
        assert_eq!(parse_speed("1"), Ok(Pace::RealTime));
        assert_eq!(parse_speed("20"), Ok(Pace::Times(20)));
        assert!(
            parse_speed("0").is_err() && parse_speed("-1").is_err() && parse_speed("1.5").is_err()
        );
        assert_eq!(parse_time("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(parse_time("2m"), Ok(Duration::from_secs(120)));
        assert!(parse_time("5").is_err() && parse_time("s").is_err());
    }
}
