//! Whether an order can be large enough for the venue and small enough for the limits.

use rust_decimal::Decimal;

use crate::config::strategies::StrategySettings;
use crate::market::Instrument;

use super::{Ground, Row, Sheet, Verdict, amount, price_cure, ratio};

pub(super) fn sheet(ground: &Ground<'_>) -> Sheet {
    let rows = ground.strategies().flat_map(|(settings, built)| {
        let traded = ground.traded(built).into_iter();
        traded.map(move |instrument| row(ground, settings, instrument))
    });
    Sheet {
        title: "Order sizes",
        note: "in the quote asset. venue's least = its minimum with risk's margin, rounded up to whole lots; risk's most = the smaller of \
               order_notional_usd_max and order_qty_base_max.",
        columns: vec![
            "strategy",
            "instrument",
            "venue's least",
            "from",
            "to",
            "risk's most",
        ],
        rows: rows.collect(),
    }
}

/// Smallest order that the venue takes, in the quote asset.
fn least(ground: &Ground<'_>, instrument: &Instrument) -> Option<Decimal> {
    let unit = ground.unit(instrument)?;
    let margin = Decimal::ONE.checked_add(ratio(ground.limits.notional_margin))?;
    let by_value = instrument
        .notional_min
        .checked_mul(margin)?
        .checked_div(unit)?;
    let qty = |qty| instrument.grid.qty_decimal(qty);
    let wanted = by_value.max(qty(instrument.qty_min));
    let lot = qty(instrument.lot);
    let lots = wanted.checked_div(lot)?;
    let whole = if lots.is_integer() {
        lots
    } else {
        lots.trunc().checked_add(Decimal::ONE)?
    };
    whole.checked_mul(lot)?.checked_mul(unit)
}

/// Largest order that risk lets through, in the quote asset, and which limit says so.
fn most(ground: &Ground<'_>, instrument: &Instrument) -> Option<(Decimal, &'static str)> {
    let quote = ground.value(instrument.symbol.quote)?;
    let by_value = ground.limits.order_notional_usd_max.checked_div(quote)?;
    let own = ground.limits.instruments.get(instrument.id.index());
    let own = own.copied().flatten()?;
    let by_qty = instrument
        .grid
        .qty_decimal(own.order_qty_max)
        .checked_mul(ground.unit(instrument)?)?;
    Some(if by_value < by_qty {
        (by_value, "order_notional_usd_max")
    } else {
        (by_qty, "order_qty_base_max")
    })
}

fn row(ground: &Ground<'_>, settings: &StrategySettings, instrument: &Instrument) -> Row {
    let quote = ground.value(instrument.symbol.quote);
    let in_quote = |value: Option<Decimal>| value?.checked_div(quote?);
    let (least, most) = (least(ground, instrument), most(ground, instrument));
    let from = in_quote(ground.smallest_leg(settings));
    let to = in_quote(ground.largest_leg(settings));
    let row = Row::good(vec![
        settings.id.clone(),
        ground.name(instrument),
        amount(least),
        from.map_or_else(|| "-".to_owned(), |from| amount(Some(from))),
        amount(to),
        amount(most.map(|(most, _)| most)),
    ]);
    let (Some(least), Some((most, limit)), Some(to)) = (least, most, to) else {
        let assets = [instrument.symbol.base, instrument.symbol.quote];
        let unknown = assets
            .into_iter()
            .find(|asset| ground.value(*asset).is_none());
        let cure = unknown.map_or_else(String::new, price_cure);
        return row.say(Verdict::Note, "the price is not known", cure);
    };
    let (key, ..) = settings.largest_order();
    let [least_text, most_text, to_text] = [least, most, to].map(|value| amount(Some(value)));
    if least > to {
        return row.say(
            Verdict::Refused,
            format!("the venue wants at least {least_text} an order, and {key} allows {to_text}: no order can be large enough"),
            format!("raise {key}"),
        );
    }
    if least > most {
        return row.say(
            Verdict::Refused,
            format!("the venue wants at least {least_text} an order, and {limit} of limits.toml allows {most_text}: no order can pass"),
            format!("ask risk to raise {limit}"),
        );
    }
    if to > most {
        return row.say(
            Verdict::Refused,
            format!("orders go up to {to_text}, and {limit} of limits.toml allows {most_text}: every full-size set would be refused"),
            format!("lower {key}, or ask risk to raise {limit}"),
        );
    }
    match from {
        Some(from) if from < least => row.say(
            Verdict::Note,
            format!(
                "sets from {} to {least_text} would be taken, and are too small for the venue: they are passed by",
                amount(Some(from))
            ),
            "nothing to do, or raise the smallest size to see fewer of them in the records",
        ),
        _ => row,
    }
}
