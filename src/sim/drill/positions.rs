//! The positions that a rehearsal flattens.

use crate::market::{Catalogue, Instrument};
use crate::prng::Prng;
use crate::sim::world::WorldSetup;
use crate::units::Qty;

/// A hedged pair a base asset, each leg up to four fifths of its limit: one venue long, another short by about the same. One leg lies
/// in scope where that is possible.
pub(super) fn positions<'a>(
    setup: &WorldSetup,
    catalogue: &'a Catalogue,
    covered: impl Fn(&Instrument) -> bool,
    prng: &mut Prng,
) -> Vec<(&'a Instrument, Qty)> {
    let mut bases: Vec<crate::units::Asset> =
        catalogue.all().iter().map(|one| one.symbol.base).collect();
    bases.sort_unstable();
    bases.dedup();
    let mut wanted = Vec::new();
    for base in bases {
        let mut group: Vec<&Instrument> = catalogue
            .all()
            .iter()
            .filter(|one| one.symbol.base == base)
            .collect();
        let scoped: Vec<&Instrument> = group.iter().copied().filter(|one| covered(one)).collect();
        let first = pick(&scoped, prng).or_else(|| pick(&group, prng));
        let Some(first) = first else { continue };
        group.retain(|one| one.id != first.id);
        let second = pick(&group, prng);
        let most = |one: &Instrument| {
            let own = setup.hot.limits.instruments.get(one.id.index());
            own.copied()
                .flatten()
                .map_or(0, |own| own.position_qty_max.0.div_euclid(5) * 4)
        };
        let size = prng.between(1, most(first).min(second.map_or(i64::MAX, most)).max(1));
        let sign = if prng.chance_ppm(500_000) { 1 } else { -1 };
        for (one, sign) in [(Some(first), sign), (second, -sign)] {
            let Some(one) = one else { continue };
            // A little more or less than the other leg: nothing is ever hedged to the last lot.
            let lean = prng.between(-3, 3) * one.lot.0;
            let qty = Qty(size.saturating_add(lean)).floor_to(one.lot);
            let qty = qty.unwrap_or_default().max(one.lot.max(one.qty_min));
            wanted.push((one, Qty(qty.0 * sign)));
        }
    }
    wanted
}

fn pick<'a>(from: &[&'a Instrument], prng: &mut Prng) -> Option<&'a Instrument> {
    let count = u64::try_from(from.len()).ok().filter(|count| *count > 0)?;
    from.get(usize::try_from(prng.below(count)).ok()?).copied()
}
