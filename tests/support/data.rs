//! Where the recordings lie: `ARBALEST_DATA`, else beside the repository. Absent, a test says so and passes, unless
//! `ARBALEST_REQUIRE_DATA=1` makes that a failure.

use std::path::PathBuf;

/// The folder, or `None` when there is none.
pub(crate) fn data_dir() -> Option<PathBuf> {
    let dir = std::env::var_os("ARBALEST_DATA").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data"),
        PathBuf::from,
    );
    if dir.join("recordings").is_dir() {
        return Some(dir);
    }
    let required = std::env::var("ARBALEST_REQUIRE_DATA").is_ok_and(|value| value == "1");
    assert!(!required, "no recordings in {}", dir.display());
    eprintln!("skipped: no recordings in {}", dir.display());
    None
}
