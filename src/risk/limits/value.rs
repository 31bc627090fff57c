//! One limit as text and back, and which of two values is less.

use std::cmp::Ordering;

use rust_decimal::Decimal;

use crate::market::{Catalogue, VenueId};
use crate::units::{Asset, Nanos, Ppm};

use super::{Shock, StressScenario};

/// A value that a limit may have.
pub(super) trait Value: Clone + PartialEq {
    /// As it is shown, hashed and kept.
    fn text(&self, catalogue: &Catalogue) -> String;
    /// What [`Value::text`] wrote; `None` when it is something else.
    fn read(text: &str, catalogue: &Catalogue) -> Option<Self>;
    /// Which is less.
    fn order(&self, other: &Self) -> Ordering;
}

macro_rules! value {
    ($($kind:ty: $text:expr, $read:expr);+ $(;)?) => {$(
        impl Value for $kind {
            fn text(&self, _: &Catalogue) -> String {
                let text: fn(&$kind) -> String = $text;
                text(self)
            }
            fn read(text: &str, _: &Catalogue) -> Option<Self> {
                let read: fn(&str) -> Option<$kind> = $read;
                read(text)
            }
            fn order(&self, other: &Self) -> Ordering {
                self.cmp(other)
            }
        }
    )+};
}
value! {
    Decimal: |value| value.normalize().to_string(), |text| text.parse().ok();
    Nanos: |value| format!("{} ns", value.0), |text| text.strip_suffix(" ns")?.parse().ok().map(Nanos);
    Ppm: |value| format!("{} ppm", value.0), |text| text.strip_suffix(" ppm")?.parse().ok().map(Ppm);
    u32: |value| value.to_string(), |text| text.parse().ok();
    u64: |value| value.to_string(), |text| text.parse().ok();
    bool: |value| value.to_string(), |text| text.parse().ok();
}

/// Between two scenarios, and between the parts of one: neither can stand in a name.
const BETWEEN: &str = "; ";
const INSIDE: char = '|';

/// Scenarios are less when every one of the other stays, with its shock and at most its loss; anything else is more.
impl Value for Vec<StressScenario> {
    fn text(&self, catalogue: &Catalogue) -> String {
        let one = |scenario: &StressScenario| {
            let shock = shock_text(&scenario.shock, catalogue);
            let loss = scenario.loss_usd_max.normalize();
            format!("{}{INSIDE}{shock}{INSIDE}{loss}", scenario.name)
        };
        let all: Vec<String> = self.iter().map(one).collect();
        all.join(BETWEEN)
    }
    fn read(text: &str, catalogue: &Catalogue) -> Option<Self> {
        if text.is_empty() {
            return Some(Self::new());
        }
        let one = |text: &str| {
            let (rest, loss) = text.rsplit_once(INSIDE)?;
            let (name, shock) = rest.rsplit_once(INSIDE)?;
            Some(StressScenario {
                name: name.to_owned(),
                shock: shock_of(shock, catalogue)?,
                loss_usd_max: loss.parse().ok()?,
            })
        };
        text.split(BETWEEN).map(one).collect()
    }
    fn order(&self, other: &Self) -> Ordering {
        let kept = |old: &StressScenario| {
            self.iter().any(|own| {
                let same = own.name == old.name && own.shock == old.shock;
                same && own.loss_usd_max <= old.loss_usd_max
            })
        };
        if self == other {
            Ordering::Equal
        } else if other.iter().all(kept) {
            Ordering::Less
        } else {
            Ordering::Greater
        }
    }
}

/// What stands for all assets.
const ALL: &str = "all";

fn shock_text(shock: &Shock, catalogue: &Catalogue) -> String {
    match shock {
        Shock::VenueLost(venue) => format!("venue_lost {}", catalogue.venue_name(*venue)),
        Shock::Depeg { asset, change } => format!("depeg {asset} {}", change.0),
        Shock::Basis(change) => format!("basis {}", change.0),
        Shock::Funding { rate, times } => format!("funding {} {}", rate.0, times.0),
        Shock::Price { asset, change } => {
            let asset = asset.map_or_else(|| ALL.to_owned(), |asset| asset.to_string());
            format!("price {asset} {}", change.0)
        }
    }
}

fn shock_of(text: &str, catalogue: &Catalogue) -> Option<Shock> {
    let ppm = |text: &str| text.parse().ok().map(Ppm);
    let parts: Vec<&str> = text.split(' ').collect();
    Some(match parts[..] {
        ["venue_lost", name] => {
            let names = catalogue.venue_names();
            let index = names.iter().position(|venue| venue == name);
            // A venue that is not configured any more: no id has this one, so the scenario equals none of the new ones.
            let id = index.map_or(Some(u8::MAX), |index| u8::try_from(index).ok());
            Shock::VenueLost(VenueId(id?))
        }
        ["depeg", asset, change] => Shock::Depeg {
            asset: Asset::new(asset)?,
            change: ppm(change)?,
        },
        ["basis", change] => Shock::Basis(ppm(change)?),
        ["funding", rate, times] => Shock::Funding {
            rate: ppm(rate)?,
            times: ppm(times)?,
        },
        ["price", asset, change] => Shock::Price {
            asset: match asset {
                ALL => None,
                asset => Some(Asset::new(asset)?),
            },
            change: ppm(change)?,
        },
        _ => return None,
    })
}
