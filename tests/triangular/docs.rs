//! The worked example of docs/STRATEGIES.md, section "triangular": every number of its table, made anew.

use arbalest::strategy::EdgeEnd;
use arbalest::units::{Ppm, Side};
use rust_decimal::Decimal;

use crate::scene::{Scene, T0, asset, decimal, legs, params, taken};
use crate::walk::fill;

fn section() -> String {
    let all = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/STRATEGIES.md"));
    let all = all.unwrap();
    let from = all.find("\n## triangular\n").unwrap();
    let rest = &all[from + 1..];
    rest[..rest.find("\n## ").unwrap_or(rest.len())].to_owned()
}

#[test]
#[expect(clippy::too_many_lines, reason = "the page, number by number")]
fn the_worked_example() {
    let mut scene = Scene::v32(params(3));
    scene.warm();
    let intent = taken(scene.look_at(0, T0));
    let EdgeEnd::Taken {
        net_edge,
        gross_edge,
    } = scene.edges[0].end
    else {
        panic!("taken")
    };
    let kept = decimal("0.999");
    let unrounded = Decimal::from(10_000) * (decimal("1.005") * kept * kept * kept - Decimal::ONE);
    let mut rows = vec![
        format!("| gross edge, 3,015 / (60,000 × 0.05) - 1 | {gross_edge} |"),
        format!("| net edge at the touch, three fees off | {net_edge} |"),
        format!(
            "| without lots 10,000 USDT would gain | {} USDT |",
            unrounded.round_dp(8).normalize()
        ),
    ];
    let mut limits = Vec::new();
    for (number, leg) in (1..).zip(legs(&intent)) {
        let instrument = scene.catalogue.get(leg.instrument).unwrap();
        let (grid, symbol) = (instrument.grid, instrument.symbol);
        let qty = grid.qty_decimal(leg.qty).normalize();
        let price = grid.price_decimal(leg.decision_price);
        let value = (qty * price).normalize();
        let at = ["60,000", "0.05", "3,015"][number - 1];
        match leg.side {
            Side::Buy => {
                rows.push(format!(
                    "| leg {number} buys, at {at} | {qty} {} |",
                    symbol.base
                ));
                rows.push(format!(
                    "| leg {number} spends | {value} {} |",
                    symbol.quote
                ));
                let brought = (qty * kept).normalize();
                rows.push(format!(
                    "| leg {number} brings, after its fee | {brought} {} |",
                    symbol.base
                ));
            }
            Side::Sell => {
                rows.push(format!(
                    "| leg {number} sells, at {at} | {qty} {} |",
                    symbol.base
                ));
                let brought = (value * kept).normalize();
                rows.push(format!(
                    "| leg {number} brings, after its fee | {brought} {} |",
                    symbol.quote
                ));
            }
        }
        limits.push(grid.price_text(leg.limit_price));
    }
    let changes = fill(&intent, &scene.books, &scene.catalogue, Ppm(1_000));
    let change = |code: &str| changes[&asset(code)].normalize();
    let market =
        change("USDT") + change("BTC") * decimal("60000") + change("ETH") * decimal("3015");
    rows.extend([
        format!("| gain in cash | {} USDT |", change("USDT")),
        format!(
            "| net edge of the set, what is left over counts nothing | {} |",
            intent.net_edge
        ),
        format!("| left over | {} BTC |", change("BTC")),
        format!("| left over | {} ETH |", change("ETH")),
        format!("| all together at market | {} USDT |", market.normalize()),
        format!(
            "| limit of leg 1, `limit_cushion_bps` = 2 above | {} |",
            limits[0]
        ),
        format!(
            "| limit of leg 2: what leg 1 brings pays no tick more | {} |",
            limits[1]
        ),
        format!(
            "| limit of leg 3, `protective_limit_bps` = 20 below | {} |",
            limits[2]
        ),
    ]);
    let section = section();
    for row in &rows {
        assert!(
            section.contains(row.as_str()),
            "docs/STRATEGIES.md, triangular, has no line: {row}"
        );
    }
    let lines = section
        .lines()
        .filter(|line| line.starts_with("| "))
        .count();
    assert_eq!(
        lines,
        rows.len() + 1,
        "every line of the table but its head is made here"
    );
}
