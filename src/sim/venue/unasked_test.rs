//! What venues do unasked, and what they take: liquidation, auto-deleveraging, bans, outages, lots.

use super::core_test::{T0, after_ms, model, order, venue};
use super::order::TimeInForce;
use super::*;
use crate::sim::tape::{MarketChange, TapeEvent};
use crate::units::{Price, Qty, Side};

/// O22 on the wire: the client ids and the execution type of a liquidation and of auto-deleveraging; off-tick marks fill on
/// the tick.
#[test]
fn a_venue_closes_positions_in_its_own_words() {
    for (how, client_id, execution, kind) in [
        (
            VenueClose::Liquidation,
            "\"c\":\"autoclose-",
            "\"x\":\"CALCULATED\"",
            "\"o\":\"LIQUIDATION\"",
        ),
        (
            VenueClose::AutoDeleverage,
            "\"c\":\"adl_autoclose\"",
            "\"x\":\"TRADE\"",
            "\"o\":\"MARKET\"",
        ),
    ] {
        let mut core = venue(Dialect::BinanceUsdm);
        let tick = core.markets[0].setup.tick.0;
        model(&mut core, 1, Side::Sell, 6_000_000, 4_000, false, T0);
        core.place(0, order(Side::Buy, 6_000_000, 4_000, TimeInForce::Ioc), T0)
            .unwrap();
        let change = MarketChange::Mark {
            mark: Price(6_000_000 + tick - 1),
            index: Price(6_000_000),
            funding_ppb: 0,
            next_funding_time: after_ms(1_000_000),
        };
        let event = TapeEvent {
            at: T0,
            venue: 0,
            symbol: 0,
            change,
        };
        core.on_market(&event, T0);
        core.inject(
            Fault::VenueClose {
                account: 0,
                symbol: 0,
                how,
                share_ppm: 250_000,
            },
            T0,
        );
        let id = core.orders.fills.last().unwrap().order_id;
        assert_eq!(core.orders.fills.last().unwrap().price, Price(6_000_000));
        assert_eq!(core.truth(0).positions[0].qty, Qty(3_000));
        let index = core.orders.fills.len() - 1;
        let events = dialect::order_event(&core, id, &place::OrderEvent::Trade(index), 1, T0);
        let full = events.last().unwrap();
        for wanted in [client_id, execution, kind] {
            assert!(full.contains(wanted), "{wanted} in {full}");
        }
        assert_eq!(core.faults_fired().len(), 1);
    }
}

#[test]
fn a_ban_and_an_outage_answer_as_the_venue_does() {
    let mut core = venue(Dialect::BinanceUsdm);
    let request = HttpRequest {
        method: Method::Get,
        path: "/fapi/v1/time".to_owned(),
        query: String::new(),
        body: String::new(),
        api_key: None,
    };
    core.inject(Fault::Ban { seconds: 3 }, T0);
    let reply = core.http(&request, after_ms(500));
    assert_eq!(reply.status, 418);
    assert!(
        reply.body.contains("\"code\":-1003") && reply.body.contains("banned until 1700000003000"),
        "{}",
        reply.body
    );
    assert!(
        reply
            .headers
            .contains(&("Retry-After".to_owned(), "3".to_owned()))
    );
    assert_eq!(core.http(&request, after_ms(3_000)).status, 200);
    let span = Nanos::from_millis(10);
    core.inject(Fault::Outage { span }, after_ms(3_000));
    let reply = core.http(&request, after_ms(3_009));
    assert!(reply.status == 503 && reply.body.starts_with("<html>"));
    assert!(core.open("/ws-fapi/v1", after_ms(3_009)).is_err());
    assert!(core.open("/ws-fapi/v1", after_ms(3_010)).is_ok());
}

/// A tape finer than the venue's lot rests nothing below it.
#[test]
fn the_models_orders_are_whole_lots() {
    let mut core = venue(Dialect::BinanceUsdm);
    core.markets[0].setup.lot = Qty(1_000);
    model(&mut core, 1, Side::Sell, 6_000_000, 999, false, T0);
    assert!(core.markets[0].best().1.is_none());
    model(&mut core, 2, Side::Sell, 6_000_000, 2_999, false, T0);
    assert_eq!(
        core.markets[0].best().1,
        Some((Price(6_000_000), Qty(2_000)))
    );
}
