//! Configuration: the embedded default is good, and every mistake of a bad one is listed at once, in its place.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use arbalest::config::document::Document;
use arbalest::config::load::Files;
use arbalest::config::{ConfigError, EngineMode, Settings, explain};
use arbalest::market::{Catalogue, Instrument, InstrumentId, InstrumentStatus, VenueId};
use arbalest::strategy::{
    BasisDirection, CrossVenueParams, CycleChoice, ExitStyle, LegOrder, SizeSearch, StrategyParams,
};
use arbalest::trade::SendOrder;
use arbalest::units::{Asset, Grid, Nanos, Ppm, Price, Qty};
use rust_decimal::Decimal;

fn with(change: impl FnOnce(&mut Files)) -> Result<Settings, ConfigError> {
    let mut files = Files::embedded();
    change(&mut files);
    Settings::from_files(&files)
}

/// `file:line:column key` of every mistake.
fn places(error: &ConfigError) -> Vec<String> {
    let place = |mistake: &arbalest::config::Mistake| {
        let at = &mistake.place;
        format!("{}:{}:{} {}", at.file, at.line, at.column, mistake.key)
    };
    error.mistakes.iter().map(place).collect()
}

fn cross(params: &StrategyParams) -> &CrossVenueParams {
    match params {
        StrategyParams::CrossVenue(params) => params,
        other @ (StrategyParams::Triangular(_) | StrategyParams::SpotPerpBasis(_)) => {
            panic!("{other:?}")
        }
    }
}

/// The default with a spot and a perpetual venue of its own for a basis strategy, pairs for cycles, and the given strategies.
fn of_three_kinds(strategies: &[(&str, &str)]) -> Result<Settings, ConfigError> {
    with(|files| {
        let venue = |id: &str, dialect: &str, symbols: &str| {
            format!(
                "\n[[venue]]\nid = \"{id}\"\ndialect = \"{dialect}\"\nsimulated = true\nsymbols = [{symbols}]\n[venue.fees]\ntaker_fee_bps = 7\nmaker_fee_bps = 0\n"
            )
        };
        let limit = |venue: &str, symbol: &str| {
            format!(
                "\n[[instrument]]\nvenue = \"{venue}\"\nsymbol = \"{symbol}\"\norder_qty_base_max = \"1\"\nposition_qty_base_max = \"5\"\n"
            )
        };
        files.venues.text = files.venues.text.replace(
            "symbols = [\"BTC/USDT\", \"ETH/USDT\"]",
            "symbols = [\"BTC/USDT\", \"ETH/USDT\", \"ETH/BTC\"]",
        );
        files.venues.text += &venue("own_spot", "binance_spot", "\"SOL/USDT\"");
        files.venues.text += &venue("own_perp", "binance_usdm", "\"SOL/USDT:USDT\"");
        for (at, symbol) in [
            ("spot_a", "ETH/BTC"),
            ("spot_b", "ETH/BTC"),
            ("own_spot", "SOL/USDT"),
            ("own_perp", "SOL/USDT:USDT"),
        ] {
            files.limits.text += &limit(at, symbol);
        }
        let file = |(name, text): &(&str, &str)| Document::new(name, *text);
        files.strategies.extend(strategies.iter().map(file));
    })
}

fn catalogue(settings: &Settings) -> Catalogue {
    let mut instruments = Vec::new();
    for (venue_index, venue) in settings.venues().iter().enumerate() {
        for symbol in &venue.symbols {
            let id = InstrumentId(u16::try_from(instruments.len()).unwrap());
            instruments.push(Instrument {
                id,
                venue: VenueId(u8::try_from(venue_index).unwrap()),
                symbol: *symbol,
                native: format!("{}{}", symbol.base, symbol.quote),
                grid: Grid::new(2, 5).unwrap(),
                tick: Price(1),
                lot: Qty(1),
                qty_min: Qty(1),
                qty_max: Qty(1_000_000_000),
                notional_min: Decimal::from(5),
                notional_max: None,
                price_min: Price(1),
                price_max: None,
                multiplier: Decimal::ONE,
                status: InstrumentStatus::Trading,
                has_reduce_only: symbol.settle.is_some(),
                price_band: None,
            });
        }
    }
    let names = settings
        .venues()
        .iter()
        .map(|venue| venue.id.clone())
        .collect();
    Catalogue::new(names, instruments).unwrap()
}

#[test]
fn the_embedded_default_is_the_example_directory_and_is_good() {
    let embedded = Settings::embedded().unwrap();
    let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
    let read = Settings::load(&directory).unwrap();
    assert_eq!(embedded, read);
    assert_eq!(embedded.hash.len(), 64);
    assert_eq!(embedded.engine.mode, EngineMode::Paper);
    assert!(embedded.venues().iter().all(|venue| venue.simulated));
}

#[test]
fn settings_build_limits_and_parameters() {
    let settings = Settings::embedded().unwrap();
    let catalogue = catalogue(&settings);
    let limits = settings.limits(&catalogue).unwrap();
    assert!(limits.instruments.iter().all(Option::is_some));
    assert_eq!(limits.instruments[0].unwrap().order_qty_max, Qty(5_000));
    assert_eq!(limits.ref_price_age_max, Nanos::from_millis(1_000));
    assert_eq!(limits.close.deadline, Nanos::from_secs(60));
    let params = settings.strategy_params(&catalogue).unwrap();
    let params: Vec<&CrossVenueParams> = params.iter().map(cross).collect();
    assert_eq!(params.len(), 2);
    assert_eq!(
        params[0].instruments,
        [InstrumentId(0), InstrumentId(2), InstrumentId(4)]
    );
    assert_eq!(params[0].taker_fees, [Ppm(100), Ppm(200), Ppm(150)]);
    assert_eq!(
        params[1].instruments,
        [InstrumentId(1), InstrumentId(3), InstrumentId(5)]
    );
    assert_eq!(params[0].max_order_notional.0, 2_000 * 10_i128.pow(7));
    let empty = Catalogue::new(vec!["a".into(), "b".into(), "c".into()], vec![]).unwrap();
    assert!(settings.limits(&empty).is_err());
}

const TRIANGLE: &str =
    "id = \"triangle\"\nkind = \"triangular\"\nmode = \"paper\"\nvenue = \"spot_a\"\n";
const CARRY: &str = "id = \"carry\"\nkind = \"spot_perp_basis\"\nspot = \"own_spot:SOL/USDT\"\nperp = \"own_perp:SOL/USDT:USDT\"\n";

#[test]
fn a_triangular_file_has_its_own_defaults_and_keys() {
    let settings = of_three_kinds(&[("strategies/t.toml", TRIANGLE)]).unwrap();
    let params = settings.strategy_params(&catalogue(&settings)).unwrap();
    let StrategyParams::Triangular(params) = &params[2] else {
        panic!("{params:?}");
    };
    let usdt = Asset::new("USDT").unwrap();
    assert_eq!(
        (params.common.name.as_str(), params.common.id.0),
        ("triangle", 2)
    );
    assert_eq!(params.common.max_book_age, Nanos::from_millis(50));
    assert_eq!(params.common.max_leg_skew, Nanos::from_millis(25));
    assert_eq!(params.common.leg_timeout, Nanos::from_millis(300));
    assert_eq!(params.common.min_net_edge, Ppm::from_bps(6));
    assert_eq!(params.common.max_net_edge, Ppm::from_bps(100));
    assert_eq!(
        (params.venue, &params.start_assets),
        (VenueId(0), &vec![usdt])
    );
    assert_eq!(params.max_cycle_legs, 3);
    assert_eq!(
        (params.start_min.0, params.start_max.0),
        (50.into(), 500.into())
    );
    assert_eq!(
        (params.size_search, params.execution),
        (SizeSearch::Bisect, SendOrder::Sequential)
    );
    assert_eq!(params.protective_limit, Ppm::from_bps(20));
    assert_eq!(params.taker_fees.len(), 10, "{:?}", params.taker_fees);
    assert_eq!(params.taker_fees[9], Ppm::from_bps(7));
    assert_eq!(
        params.cycles,
        CycleChoice::Discover {
            assets_allow: vec![],
            assets_deny: vec![]
        }
    );
    let given = format!(
        "{TRIANGLE}cycles = [\"USDT > BTC > ETH\", \"USDT > ETH > BTC > USDT\"]\nexecution = \"parallel\"\nasset_caps = {{ BTC = \"0.5\" }}\n"
    );
    let settings = of_three_kinds(&[("strategies/t.toml", &given)]).unwrap();
    let params = settings.strategy_params(&catalogue(&settings)).unwrap();
    let StrategyParams::Triangular(params) = &params[2] else {
        panic!("{params:?}");
    };
    let path = |text: &str| {
        text.split(' ')
            .map(|code| Asset::new(code).unwrap())
            .collect()
    };
    assert_eq!(
        params.cycles,
        CycleChoice::Given(vec![path("USDT BTC ETH"), path("USDT ETH BTC")])
    );
    assert_eq!(params.execution, SendOrder::Together);
    assert_eq!(params.asset_caps[0].1.0.to_string(), "0.5");
}

#[test]
fn a_basis_file_has_its_own_defaults_and_keys() {
    let settings = of_three_kinds(&[("strategies/c.toml", CARRY)]).unwrap();
    let params = settings.strategy_params(&catalogue(&settings)).unwrap();
    let StrategyParams::SpotPerpBasis(params) = &params[2] else {
        panic!("{params:?}");
    };
    assert_eq!(
        (params.spot, params.perp),
        (InstrumentId(8), InstrumentId(9))
    );
    assert_eq!(
        (params.spot_fee, params.perp_fee),
        (Ppm::from_bps(7), Ppm::from_bps(7))
    );
    assert_eq!(params.direction, BasisDirection::ShortPerp);
    assert_eq!(
        (params.entry_basis, params.exit_basis),
        (Ppm::from_bps(20), Ppm::from_bps(5))
    );
    assert_eq!(params.min_funding_8h_ppb, 100_000);
    assert_eq!(params.carry_horizon, Nanos::from_secs(72 * 3_600));
    assert_eq!(params.no_entry_before_funding, Nanos::from_secs(30));
    assert_eq!(
        (params.leverage, params.exit_style),
        (2, ExitStyle::PairSlices)
    );
    assert_eq!(
        (params.slice.0, params.max_position.0),
        (200.into(), 5_000.into())
    );
}

/// `btc_cross` of the default with more lines, and a venue that quotes in USDC.
fn with_usdc(more: &str) -> Result<Settings, ConfigError> {
    with(|files| {
        files.venues.text += "\n[[venue]]\nid = \"usdc\"\ndialect = \"binance_spot\"\nsimulated = true\nsymbols = [\"BTC/USDC\", \"USDC/USDT\", \"BNB/USDC\"]\n[venue.fees]\ntaker_fee_bps = 7\nmaker_fee_bps = -1\nfee_asset = \"BNB\"\nmin_fee_asset_quote = 30\n";
        for symbol in ["BTC/USDC", "USDC/USDT", "BNB/USDC"] {
            files.limits.text += &format!(
                "\n[[instrument]]\nvenue = \"usdc\"\nsymbol = \"{symbol}\"\norder_qty_base_max = \"1\"\nposition_qty_base_max = \"5\"\n"
            );
        }
        let text = &mut files.strategies.first_mut().unwrap().text;
        *text = text.replace("\"perp\"]", "\"perp\", \"usdc\"]") + more;
    })
}

#[test]
fn quotes_are_grouped_and_converted_and_inventory_has_targets() {
    let settings = with_usdc("quote_group = [\"USDT\", \"USDC\"]\nleg_order = \"thin_first\"\ndepth_levels = 5\nblackout_utc = [\"23:55-00:05\"]\ninventory_target_ratio = { spot_b = 0.4 }\ninventory_band_ratio = 0.3\nroutes_deny = [\"usdc:perp\"]\n").unwrap();
    let params = settings.strategy_params(&catalogue(&settings)).unwrap();
    let params = cross(&params[0]);
    let ids = |ids: &[u16]| ids.iter().map(|id| InstrumentId(*id)).collect::<Vec<_>>();
    assert_eq!(params.instruments, ids(&[0, 2, 4, 6]));
    assert_eq!(params.maker_fees[3], Ppm::from_bps(-1));
    assert_eq!(params.routes_deny, [(InstrumentId(6), InstrumentId(4))]);
    assert_eq!(params.conversions.len(), 1);
    assert_eq!(
        (
            params.conversions[0].via,
            params.conversions[0].quote.as_str()
        ),
        (InstrumentId(7), "USDC")
    );
    assert_eq!(params.leg_order, LegOrder::ThinFirst);
    let fee = params.fee_assets[3].unwrap();
    assert_eq!(
        (fee.instrument, fee.discount),
        (InstrumentId(8), Ppm(250_000))
    );
    assert!(params.fee_assets[0].is_none());
    let inventory = params.inventory.as_ref().unwrap();
    assert_eq!(
        inventory.targets,
        [500_000, 400_000, 500_000, 500_000].map(Ppm)
    );
    assert_eq!(
        (inventory.band, inventory.skew),
        (Ppm(300_000), Ppm::from_bps(3))
    );
    assert_eq!(params.common.depth_levels, 5);
    let span = params.common.blackout[0];
    assert_eq!(
        (span.from, span.to),
        (Nanos::from_secs(86_100), Nanos::from_secs(300))
    );
    for (words, more) in [
        ("has no symbol of the pair BTC/USDT", ""),
        (
            "no venue of this strategy has BTC/FDUSD",
            "quote_group = [\"USDC\", \"FDUSD\"]\n",
        ),
        (
            "must be an asset code, once",
            "quote_group = [\"USDC\", \"USDC\"]\n",
        ),
        (
            "two different times of day",
            "blackout_utc = [\"24:00-00:05\"]\n",
        ),
        (
            "names a venue that this strategy does not trade at",
            "inventory_target_ratio = { moon = 0.5 }\n",
        ),
        (
            "must be from 0 to 1",
            "inventory_target_ratio = { perp = 5 }\n",
        ),
        (
            "says nothing without inventory_band_ratio",
            "inventory_skew_bps = 5\n",
        ),
    ] {
        let error = with_usdc(more).map(|_settings| ()).unwrap_err().to_string();
        assert!(error.contains(words), "{words} not in\n{error}");
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn each_rule_of_the_kinds_has_its_words() {
    let triangle = |more: &str| vec![("strategies/t.toml", format!("{TRIANGLE}{more}"))];
    let carry = |from: &str, to: &str| vec![("strategies/c.toml", CARRY.replace(from, to))];
    for (words, files) in [
        (
            "did you mean \"triangular\"?",
            vec![(
                "strategies/t.toml",
                TRIANGLE.replace("triangular", "triangluar"),
            )],
        ),
        (
            "did you mean \"spot_a\"?",
            vec![("strategies/t.toml", TRIANGLE.replace("spot_a", "spot_aa"))],
        ),
        (
            "needs a spot venue",
            vec![("strategies/t.toml", TRIANGLE.replace("spot_a", "perp"))],
        ),
        (
            "no symbol of the venue changes one into the other",
            triangle("cycles = [\"USDT > BTC > SOL\"]\n"),
        ),
        (
            "which is not one of start_assets",
            triangle("cycles = [\"BTC > USDT > ETH\"]\n"),
        ),
        (
            "3 to 5 different assets",
            triangle("cycles = [\"USDT > BTC > USDT\"]\n"),
        ),
        (
            "contradicts discover = true",
            triangle("discover = true\ncycles = [\"USDT > BTC > ETH\"]\n"),
        ),
        (
            "names no cycle, and discover is false",
            triangle("discover = false\n"),
        ),
        (
            "is not an asset of any symbol of the venue",
            triangle("assets_deny = [\"DOGE\"]\n"),
        ),
        (
            "narrows the cycles that are found",
            triangle("assets_deny = [\"BTC\"]\ncycles = [\"USDT > BTC > ETH\"]\n"),
        ),
        (
            "is a cap of an asset",
            triangle("asset_caps = { DOGE = 1 }\n"),
        ),
        (
            "is above start_max_quote",
            triangle("start_min_quote = 501\n"),
        ),
        (
            "is not a known key",
            triangle("spot = \"spot_a:BTC/USDT\"\n"),
        ),
        (
            "must be \"venue:SYMBOL\"",
            carry("own_spot:SOL/USDT\"", "SOL/USDT\""),
        ),
        ("did you mean \"own_spot\"?", carry("own_spot:", "ownspot:")),
        (
            "names SOL/USDC, which is not a symbol of own_spot",
            carry("SOL/USDT\"\nperp", "SOL/USDC\"\nperp"),
        ),
        (
            "is a perpetual, and must be a spot symbol",
            carry(
                "spot = \"own_spot:SOL/USDT\"",
                "spot = \"own_perp:SOL/USDT:USDT\"",
            ),
        ),
        (
            "is spot, and must be a perpetual",
            carry("own_perp:SOL/USDT:USDT", "own_spot:SOL/USDT"),
        ),
        (
            "is a perpetual of another base than spot (SOL)",
            carry("own_perp:SOL/USDT:USDT", "perp:BTC/USDT:USDT"),
        ),
        (
            "a pair would be left as it is entered",
            carry("id =", "exit_basis_bps = 20\nid ="),
        ),
        (
            "fees cannot be spread over longer",
            carry("id =", "max_hold_h = 24\nid ="),
        ),
        (
            "must be from 1 to 3, was 5",
            carry("id =", "leverage = 5\nid ="),
        ),
        (
            "is traded by strategy btc_cross too",
            vec![(
                "strategies/c.toml",
                CARRY
                    .replace("own_spot:SOL", "spot_a:BTC")
                    .replace("own_perp:SOL", "perp:BTC"),
            )],
        ),
        (
            "is traded by strategy carry too",
            vec![
                ("strategies/c.toml", CARRY.to_owned()),
                ("strategies/d.toml", CARRY.replace("\"carry\"", "\"other\"")),
            ],
        ),
    ] {
        let files: Vec<(&str, &str)> = files
            .iter()
            .map(|(name, text)| (*name, text.as_str()))
            .collect();
        let error = of_three_kinds(&files).map(|_settings| ()).unwrap_err();
        assert!(error.to_string().contains(words), "{words} not in\n{error}");
    }
    let misspelt = TRIANGLE.replace("triangular", "triangluar") + "max_cycle_legz = 4\n";
    let error = of_three_kinds(&[("strategies/t.toml", &misspelt)]).unwrap_err();
    assert_eq!(
        error.mistakes.len(),
        2,
        "the kind meant is assumed, so that all is found\n{error}"
    );
}

#[test]
fn all_mistakes_of_a_file_are_listed_with_their_lines() {
    let text = "\
id = \"btc_cross\"
kind = \"cross_exchange\"
mode = \"papr\"
symbol = \"BTC/USDT\"
venues = [\"spot_a\", \"spot_c\"]
min_net_edge = 5
max_net_edge_bps = \"2 ms\"
max_book_take_ratio = 1.5
max_sets_per_min = 2.5
cooldown_ms = \"250ms\"
min_order_quote = \"3000\"
max_order_quote = \"2000\"
leg_timeout_ms = true
";
    let error =
        with(|files| files.strategies[0] = Document::new("strategies/btc_cross.toml", text))
            .unwrap_err();
    let file = "strategies/btc_cross.toml";
    assert_eq!(
        places(&error),
        [
            format!("{file}:1:1 max_inventory_quote"),
            format!("{file}:3:8 mode"),
            format!("{file}:5:21 venues"),
            format!("{file}:6:1 min_net_edge"),
            format!("{file}:7:20 max_net_edge_bps"),
            format!("{file}:8:23 max_book_take_ratio"),
            format!("{file}:9:20 max_sets_per_min"),
            format!("{file}:11:19 min_order_quote"),
            format!("{file}:13:18 leg_timeout_ms"),
        ],
        "{error}"
    );
    let text = error.to_string();
    for part in [
        "9 mistakes",
        "did you mean \"paper\"?",
        "did you mean \"spot_a\"?",
        "did you mean min_net_edge_bps?",
        "must be from 0.000001 to 1, was 1.5",
        "\"250ms\"",
        "nothing was started",
    ] {
        assert!(text.contains(part), "{part} not in\n{text}");
    }
}

#[test]
fn mistakes_in_several_files_come_together() {
    let error = with(|files| {
        files.venues.text = files
            .venues
            .text
            .replacen("taker_fee_bps = 1\n", "taker_fee_bps = \"1%%\"\n", 1)
            .replacen("id = \"spot_b\"", "id = \"spot_a\"", 1);
        files.limits.text = files
            .limits
            .text
            .replacen("gross = \"150000\"", "gross = \"1000\"", 1);
        files.engine.text.push_str("adress = \"x\"\n");
    })
    .unwrap_err();
    let files: Vec<&str> = error
        .mistakes
        .iter()
        .map(|mistake| mistake.place.file.as_ref())
        .collect();
    for file in ["engine.toml", "venues.toml", "limits.toml"] {
        assert!(files.contains(&file), "{error}");
    }
    let text = error.to_string();
    for part in [
        "did you mean address?",
        "is used twice",
        "is above gross (1000), which contains it",
        "must be a number in bps",
    ] {
        assert!(text.contains(part), "{part} not in\n{text}");
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "one row a rule")]
fn each_rule_has_its_words() {
    type Change = fn(&mut Files);
    let rows: &[(&str, Change)] = &[
        ("must be TOML", |files| files.limits.text.push_str("[[[\n")),
        ("duplicate key", |files| {
            files
                .limits
                .text
                .insert_str(0, "order_notional_usd_max = 1\n");
        }),
        ("is missing (largest order value", |files| {
            files.limits.text = files
                .limits
                .text
                .replace("order_notional_usd_max", "# order_notional_usd_max");
        }),
        ("has no limits, so perp could not trade it", |files| {
            files.venues.text = files
                .venues
                .text
                .replace("\"ETH/USDT:USDT\"", "\"ETH/USDT:USDT\", \"SOL/USDT:USDT\"");
        }),
        ("has its limits twice", |files| {
            let again = "[[instrument]]\nvenue = \"perp\"\nsymbol = \"BTC/USDT:USDT\"\norder_qty_base_max = \"1\"\nposition_qty_base_max = \"1\"\n";
            files.limits.text.push_str(again);
        }),
        ("is not a symbol of perp", |files| {
            files.limits.text = files
                .limits
                .text
                .replace("\"BTC/USDT:USDT\"", "\"BTC/USDT\"");
        }),
        ("does not exist in this dialect", |files| {
            files.venues.text = files
                .venues
                .text
                .replace("\"BTC/USDT:USDT\"", "\"BTC/USDT\"");
        }),
        ("contradicts simulated = true", |files| {
            files.venues.text = files.venues.text.replace(
                "simulated = true",
                "simulated = true\nrest_url = \"https://x.y\"",
            );
        }),
        ("must be encrypted unless it is on this machine", |files| {
            files.venues.text = files.venues.text.replace(
                "simulated = true",
                "simulated = false\nws_url = \"ws://evil.example\"",
            );
        }),
        ("must be a loopback address", |files| {
            files.engine.text = files.engine.text.replace("127.0.0.1", "0.0.0.0");
        }),
        ("is simulated while the engine's mode is live", |files| {
            files.engine.text = files.engine.text.replace("\"paper\"", "\"live\"");
        }),
        ("goes further than the engine's mode", |files| {
            files.engine.text = files.engine.text.replace("\"paper\"", "\"observe\"");
        }),
        ("is above order_notional_usd_max of limits.toml", |files| {
            files.limits.text = files.limits.text.replace(
                "order_notional_usd_max = \"5000\"",
                "order_notional_usd_max = 100",
            );
        }),
        ("must be below max_net_edge_bps", |files| {
            files.strategies[0].text = files.strategies[0]
                .text
                .replace("min_net_edge_bps = 1.5", "min_net_edge_bps = 150");
        }),
        ("is used by strategies/btc_cross.toml too", |files| {
            files.strategies[1].text = files.strategies[1].text.replace("eth_cross", "btc_cross");
        }),
        ("must be \"buy_venue:sell_venue\"", |files| {
            files.strategies[0]
                .text
                .push_str("routes_deny = [\"spot_a:moon\"]\n");
        }),
        ("must be a whole number of ppm", |files| {
            files.strategies[0].text = files.strategies[0].text.replace("= 1.5 ", "= 1.505 ");
        }),
        ("has no source", |files| {
            files.venues.text = files
                .venues
                .text
                .replace("simulated = true", "simulated = false")
                .replace(
                    "[venue.balances]\n",
                    "[venue.keys]\napi_key_env = \"KEY\"\n",
                );
        }),
    ];
    for (words, change) in rows {
        let error = with(change).map(|_settings| ()).unwrap_err();
        assert!(error.to_string().contains(words), "{words} not in\n{error}");
    }
}

#[test]
fn units_are_read_and_echoed_in_one_form() {
    let settings = with(|files| {
        files.strategies[0].text = files.strategies[0]
            .text
            .replace("max_net_edge_bps = 150", "max_net_edge_bps = \"0.5%\"")
            .replace("cooldown_ms = 50", "cooldown_ms = \"1.5s\"");
    })
    .unwrap();
    let params = settings.strategies[0].common();
    assert_eq!(
        (params.max_net_edge, params.cooldown),
        (Ppm::from_bps(50), Nanos::from_millis(1_500))
    );
    let echo = |key: &str| {
        let found = settings
            .echoes
            .iter()
            .find(|echo| echo.key == key && echo.file.contains("btc"))
            .unwrap();
        (found.value.clone(), found.is_default)
    };
    assert_eq!(echo("max_net_edge_bps"), ("50 bps".to_owned(), false));
    assert_eq!(echo("cooldown_ms"), ("1500 ms".to_owned(), false));
    assert_eq!(echo("leg_timeout_ms"), ("500 ms".to_owned(), true));
}

#[test]
fn a_missing_directory_is_named() {
    let error = Settings::load(std::path::Path::new("/nonexistent/arbalest")).unwrap_err();
    let text = error.to_string();
    for part in [
        "venues.toml",
        "limits.toml",
        "has no strategy",
        "/nonexistent/arbalest/venues.toml",
    ] {
        assert!(text.contains(part), "{part} not in\n{text}");
    }
}

#[test]
fn the_page_lists_every_key() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/CONFIG.md");
    let page = explain::markdown();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    assert_eq!(
        std::fs::read_to_string(&path).unwrap(),
        page,
        "run UPDATE_DOCS=1 cargo test --test config"
    );
}
