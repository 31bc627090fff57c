//! The thread that writes the heartbeat's file. It makes no beat of its own: what it writes is as old as the control thread is.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::watch;

use crate::clock::{Clock, OsClock};
use crate::engine::heartbeat::{HEARTBEAT_FILE, Heartbeat};
use crate::journal::Tail;
use crate::units::{MonoNanos, Nanos};

use super::{BEAT_EVERY, Signs};

/// Shortest time between two writes.
const PAUSE: Nanos = Nanos::from_millis(10);
/// Time between two looks at the free space of the disk.
const LOOK_EVERY: Nanos = Nanos::from_secs(1);

pub(super) struct Writer {
    path: PathBuf,
    fresh: PathBuf,
    signs: Arc<Signs>,
    clock: OsClock,
    disk: Option<Tail>,
    written: watch::Sender<u64>,
    last: Option<Heartbeat>,
    failed: bool,
}

impl Writer {
    /// Starts the thread; tells the number of the last beat on disk.
    pub(super) fn start(
        directory: &Path,
        signs: &Arc<Signs>,
        clock: OsClock,
        disk: Option<Tail>,
    ) -> std::io::Result<watch::Receiver<u64>> {
        let (written, told) = watch::channel(0);
        let writer = Self {
            path: directory.join(HEARTBEAT_FILE),
            fresh: directory.join(format!("{HEARTBEAT_FILE}.new")),
            signs: Arc::clone(signs),
            clock,
            disk,
            written,
            last: None,
            failed: false,
        };
        let thread = std::thread::Builder::new()
            .name("heart".to_owned())
            .spawn(move || writer.run())?;
        signs.set_writer(thread.thread().clone());
        Ok(told)
    }

    fn run(mut self) {
        let mut looked_at: Option<MonoNanos> = None;
        while !self.signs.has_ended() {
            self.write();
            let now = self.clock.now();
            if let Some(disk) = &self.disk
                && looked_at.is_none_or(|at| now.since(at) >= LOOK_EVERY)
            {
                disk.look_at_disk(now);
                looked_at = Some(now);
            }
            // Many changes are one write.
            while self.clock.now().since(now) < PAUSE {
                std::thread::park_timeout(PAUSE.as_duration());
            }
            if self.signs.together() == self.last {
                std::thread::park_timeout(BEAT_EVERY);
            }
        }
    }

    /// Replaces the file as a whole: a reader never sees half a beat.
    fn write(&mut self) {
        let Some(beat) = self.signs.together() else {
            return;
        };
        if self.last.as_ref() == Some(&beat) {
            return;
        }
        let written = serde_json::to_vec(&beat)
            .map_err(std::io::Error::other)
            .and_then(|text| std::fs::write(&self.fresh, text))
            .and_then(|()| std::fs::rename(&self.fresh, &self.path));
        match written {
            Ok(()) => {
                self.failed = false;
                self.written.send_replace(beat.seq);
                self.last = Some(beat);
            }
            Err(error) => {
                if !std::mem::replace(&mut self.failed, true) {
                    tracing::error!("the heartbeat cannot be written: {error}");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::engine::heartbeat::{HeartState, Pulse, Verdict};
    use crate::market::Catalogue;

    use super::*;

    /// The writer and the signal seat live, the control thread does not: the file changes and proves nothing.
    #[test]
    fn a_stalled_control_thread_is_gone_however_busy_the_writer() {
        let directory = tempfile::tempdir().unwrap();
        let catalogue = Arc::new(Catalogue::new(Vec::new(), Vec::new()).unwrap());
        let signs = Arc::new(Signs::new(catalogue));
        let disk = None;
        let mut written = Writer::start(directory.path(), &signs, OsClock::new(), disk).unwrap();
        let clock = OsClock::new();
        let began = clock.now();
        let read = |right: &dyn Fn(&Heartbeat) -> bool| {
            while clock.now().since(began) < Nanos::from_secs(20) {
                let path = directory.path().join(HEARTBEAT_FILE);
                let beat = std::fs::read(path).ok();
                let beat = beat.and_then(|text| serde_json::from_slice::<Heartbeat>(&text).ok());
                if let Some(beat) = beat.filter(|beat| right(beat)) {
                    return beat;
                }
                std::thread::yield_now();
            }
            panic!("it was not written in time")
        };
        signs.set_beat(Heartbeat {
            seq: 1,
            state: HeartState::Running,
            ..Heartbeat::default()
        });
        let first = read(&|beat| beat.seq == 1);
        assert_eq!(*written.borrow_and_update(), 1);
        let mut pulse = Pulse::new(Nanos::from_secs(10));
        pulse.on_look(&first, MonoNanos(0));
        for _ in 0..200 {
            signs.signal_lives();
        }
        let last = read(&|beat| beat.signal_seq == 200);
        assert_eq!(last.seq, 1);
        let late = MonoNanos(11_000_000_000);
        pulse.on_look(&last, late);
        assert!(matches!(pulse.verdict(late), Verdict::Gone(_)));
        // The other way round: the control thread beats and says that the signal seat does not.
        for seq in 2..14_u64 {
            signs.set_beat(Heartbeat {
                seq,
                ..first.clone()
            });
            let beat = read(&|beat| beat.seq == seq);
            let now = MonoNanos(late.0 + seq * 1_000_000_000);
            pulse.on_look(&beat, now);
            assert_eq!(pulse.verdict(now), Verdict::Alive);
            assert_eq!(pulse.signal_stands(now), seq > 10, "{seq}");
        }
        signs.end();
    }
}
