//! Time spent in a commitment scheme, so that phases can be told apart from outside p3's provers.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Adds up durations.
#[derive(Debug, Default)]
pub struct Timer(AtomicU64);

impl Timer {
    /// Runs something and adds its time.
    pub fn time<R>(&self, run: impl FnOnce() -> R) -> R {
        let start = Instant::now();
        let result = run();
        self.0.fetch_add(start.elapsed().as_nanos() as u64, Ordering::Relaxed);
        result
    }

    /// The sum.
    pub fn total(&self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::Relaxed))
    }
}

/// Time in a scheme.
#[derive(Debug, Default)]
pub struct Clock {
    /// Time in commitments.
    pub commit: Timer,
    /// Time in openings.
    pub open: Timer,
}
