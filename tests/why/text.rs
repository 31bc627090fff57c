//! What `arbalest why` says of a seeded simulated run.

use arbalest::cli::why::gather::{Found, Gathering, Selection};
use arbalest::engine::money_split::attribution_record;
use arbalest::engine::opportunity::PROBES;
use arbalest::journal::edges::LookRow;
use arbalest::journal::{Names, Record};
use arbalest::sim::world::WorldReport;
use arbalest::units::{Nanos, Ppm};

use super::attribution::run;

const START: i64 = 1_700_000_000_000_000_000;

/// The records that a live engine would have written of this run.
fn gathered(report: &WorldReport) -> Gathering {
    let strategies: Vec<String> = ["btc", "eth"].map(str::to_owned).to_vec();
    let names = Names {
        catalogue: &report.catalogue,
        strategies: &strategies,
    };
    let mut delays = [Nanos::ZERO; 6];
    delays[..4].copy_from_slice(&PROBES);
    let window = &report.opportunities;
    let mut records = vec![
        Record::Started {
            version: "0".to_owned(),
            config_hash: "ab".to_owned(),
            epoch_secs: 1,
        },
        Record::LevelChanged {
            scope: "venue:perp".to_owned(),
            from: "armed",
            to: "reduce_only",
            cause: "operator",
            by: "operator:ann".to_owned(),
            reason: "maintenance".to_owned(),
        },
        Record::Routes {
            since: START,
            rows: window.rows(names, &[Some(Ppm::from_bps(5)); 2], &delays),
            sampled_out: window.sampled_out,
            dropped: window.dropped,
        },
        Record::Looks {
            rows: vec![
                LookRow {
                    strategy: "btc".to_owned(),
                    outcome: "below_threshold",
                    count: 900,
                },
                LookRow {
                    strategy: "btc".to_owned(),
                    outcome: "taken",
                    count: 100,
                },
            ],
        },
    ];
    let attributions = report.attributions.iter();
    records.extend(attributions.map(|one| attribution_record(names, one).unwrap()));
    let mut gathering = Gathering::default();
    for (record, second) in records.iter().zip(0_i64..) {
        let text = serde_json::to_string(record).unwrap();
        gathering.add(START + second * 1_000_000_000, &text);
    }
    gathering
}

fn found(
    gathering: &Gathering,
    strategy: Option<&str>,
    route: Option<&str>,
) -> Result<Found, String> {
    gathering.found(&Selection {
        strategy: strategy.map(str::to_owned),
        route: route.map(str::to_owned),
        since: None,
    })
}

/// The text is compared word for word: `UPDATE_DOCS=1` writes it again.
#[test]
fn a_seeded_run_is_explained_word_for_word() {
    let gathering = gathered(&run(7, 10, Vec::new()));
    let text = found(&gathering, None, None).unwrap().text() + "\n";
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/why/expected.txt");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, &text).unwrap();
    }
    assert_eq!(text, std::fs::read_to_string(path).unwrap());
}

/// Every look at an edge is either a set or has its reason; the money is that of the sets.
#[test]
fn every_look_is_a_set_or_has_a_reason() {
    let report = run(7, 10, Vec::new());
    let gathering = gathered(&report);
    let all = found(&gathering, None, None).unwrap();
    let mut sent = 0;
    for route in all.strategies.iter().flat_map(|one| &one.routes) {
        let refused: u64 = route.reasons.iter().map(|reason| reason.looks).sum();
        assert_eq!(route.looks, refused + route.sets_sent, "{}", route.route);
        assert!(
            route
                .reasons
                .iter()
                .all(|reason| !reason.meaning.is_empty())
        );
        sent += route.sets_sent;
    }
    assert_eq!(sent, report.summary.sets_opened);
    assert_eq!(all.levels.len(), 1);
    for (line, strategy) in report.summary.money.strategies.iter().zip(&all.strategies) {
        assert_eq!(strategy.earned[0].net.normalize().to_string(), line.net);
        assert_eq!(strategy.earned[0].sets, line.sets);
    }
}

#[test]
fn what_is_not_there_is_named_with_what_is() {
    let gathering = gathered(&run(7, 3, Vec::new()));
    let error = found(&gathering, Some("sol"), None).unwrap_err();
    assert!(error.contains("sol") && error.contains("btc"), "{error}");
    let error = found(&gathering, None, Some("mars")).unwrap_err();
    assert!(error.contains("mars") && error.contains("buy "), "{error}");
    let one = found(&gathering, Some("btc"), Some("sell perp")).unwrap();
    assert_eq!(one.strategies.len(), 1);
    assert!(
        one.strategies[0]
            .routes
            .iter()
            .all(|route| route.route.contains("sell perp"))
    );
}
