//! Numbers with their unit in the type: what every other room counts with.
//!
//! Prices and quantities are integer *steps* on an instrument's own decimal [`Grid`]. The grid is the same for
//! every venue of one instrument, so two venues compare with one integer comparison. Only this room rounds, and
//! every rounding is named floor or ceil (or half-even, in [`money`]).

pub mod asset;
pub mod grid;
pub mod money;
pub mod notional;
pub mod number;
pub mod ppm;
pub mod ratio;
pub mod side;
pub mod steps;
pub mod time;

pub use asset::Asset;
pub use grid::{Grid, GridError};
pub use money::{Money, MoneyError};
pub use notional::Notional;
pub use number::{NumberError, parse_fixed};
pub use ppm::Ppm;
pub use side::Side;
pub use steps::{Price, Qty};
pub use time::{MonoNanos, Nanos, UnixNanos};
