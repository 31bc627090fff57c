//! Which files of a directory can be played as what: told by their content, not only by their names.

use std::path::{Path, PathBuf};

use crate::sim::recording::Recording;
use crate::units::UnixNanos;

use super::recorded::{is_snapshot, native_of, split_envelope};

/// Lines looked at before a file is given up as unknown.
const LINES_MAX: usize = 2_000;

/// The venue a recording was made at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RecordedVenue {
    /// Binance Spot: depth without `pu`, best quotes without `e`.
    Spot,
    /// Binance USD-M: depth with `pu`.
    Usdm,
    /// Binance COIN-M: depth with `ps`.
    Coinm,
}

impl RecordedVenue {
    /// Fixed short word; the dialect's configuration name where there is one.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Spot => "binance_spot",
            Self::Usdm => "binance_usdm",
            Self::Coinm => "binance_coinm",
        }
    }
}

/// A file that can be played.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordingFile {
    /// The file.
    pub path: PathBuf,
    /// Where it was recorded.
    pub venue: RecordedVenue,
    /// The venue's own symbol names in it, upper case, in order of appearance.
    pub natives: Vec<String>,
    /// When its first line was recorded.
    pub first_time: UnixNanos,
    /// Speed in the name of its depth streams, e.g. `100ms`.
    pub depth_speed: Option<String>,
}

/// What a directory holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recordings {
    /// Files that can be played, by venue, then by name.
    pub files: Vec<RecordingFile>,
    /// Files left out, with the reason.
    pub left_out: Vec<(PathBuf, String)>,
}

impl Recordings {
    /// The files of one venue.
    pub fn of(&self, venue: RecordedVenue) -> impl Iterator<Item = &RecordingFile> {
        self.files.iter().filter(move |file| file.venue == venue)
    }
}

/// Looks at every file of a directory (not below it).
///
/// # Errors
/// When the directory cannot be read.
pub fn recordings_in(dir: &Path) -> std::io::Result<Recordings> {
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_file() {
            paths.push(path);
        }
    }
    paths.sort();
    let mut found = Recordings::default();
    for path in paths {
        match recording_at(&path) {
            Ok(file) if file.venue == RecordedVenue::Coinm => {
                let reason = format!(
                    "COIN-M ({}): no simulated venue speaks it yet",
                    file.natives.join(", ")
                );
                found.left_out.push((path, reason));
            }
            Ok(file) => found.files.push(file),
            Err(reason) => found.left_out.push((path, reason)),
        }
    }
    found
        .files
        .sort_by(|one, two| (one.venue, &one.path).cmp(&(two.venue, &two.path)));
    Ok(found)
}

/// Tells one file's venue and symbols from its first lines.
///
/// # Errors
/// Why it is no recording that can be played.
pub fn recording_at(path: &Path) -> Result<RecordingFile, String> {
    let mut lines = Recording::open(&[path]).map_err(|error| error.to_string())?;
    let (mut venue, mut natives, mut first_time) = (None, Vec::<String>::new(), None);
    let mut depth_speed = None;
    for _ in 0..LINES_MAX {
        let Some(line) = lines.next_line().map_err(|error| error.to_string())? else {
            break;
        };
        let time = line.time;
        let text = line
            .text()
            .ok_or_else(|| format!("line {} was not UTF-8", line.number))?;
        first_time.get_or_insert(time);
        let Some((stream, data)) = split_envelope(text) else {
            if is_snapshot(text) {
                continue;
            }
            return Err(format!(
                "is no recording of combined streams: {}",
                text.chars().take(60).collect::<String>()
            ));
        };
        venue = venue.or_else(|| venue_of(stream, data));
        if let Some((_, speed)) = stream.split_once("@depth@") {
            depth_speed.get_or_insert_with(|| speed.to_owned());
        }
        let native = native_of(stream).to_ascii_uppercase();
        if !natives.contains(&native) {
            natives.push(native);
        }
    }
    match (venue, first_time) {
        (Some(venue), Some(first_time)) => Ok(RecordingFile {
            path: path.to_path_buf(),
            venue,
            natives,
            first_time,
            depth_speed,
        }),
        (Some(_) | None, Some(_) | None) => {
            Err("has no depth or quote frame in its first lines".to_owned())
        }
    }
}

/// What a frame proves of its venue; trades prove nothing.
fn venue_of(stream: &str, data: &str) -> Option<RecordedVenue> {
    let coin = native_of(stream).contains('_');
    if stream.contains("@depth") {
        let head = data
            .get(..data.find("\"b\":").unwrap_or(data.len()))
            .unwrap_or(data);
        return Some(
            match (head.contains("\"ps\":") || coin, head.contains("\"pu\":")) {
                (true, _) => RecordedVenue::Coinm,
                (false, true) => RecordedVenue::Usdm,
                (false, false) => RecordedVenue::Spot,
            },
        );
    }
    if stream.ends_with("@bookTicker") {
        return Some(match (coin, data.contains("\"e\":\"bookTicker\"")) {
            (true, _) => RecordedVenue::Coinm,
            (false, true) => RecordedVenue::Usdm,
            (false, false) => RecordedVenue::Spot,
        });
    }
    None
}
