//! The triangular strategy: vector V32, its bounds and refusals one by one, and its slow twins.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::integer_division,
    clippy::too_many_lines,
    reason = "test helpers; the slow twin divides whole numbers as it is written"
)]

#[path = "triangular/scene.rs"]
mod scene;

#[path = "triangular/cycles.rs"]
mod cycles;
#[path = "triangular/docs.rs"]
mod docs;
#[path = "triangular/exhaustive.rs"]
mod exhaustive;
#[path = "triangular/prefilter.rs"]
mod prefilter;
#[path = "triangular/refusals.rs"]
mod refusals;
#[path = "triangular/v32.rs"]
mod v32;
#[path = "triangular/walk.rs"]
mod walk;
