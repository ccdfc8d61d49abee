//! Progress of a campaign on standard error: a bar on a terminal, plain lines elsewhere.

use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// Shows progress.
pub struct Progress {
    bar: Option<ProgressBar>,
    total: usize,
}

impl Progress {
    /// Progress of `total` invocations of which `done` are done.
    pub fn new(total: usize, done: usize) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template("[{elapsed_precise}] {bar:30} {pos}/{len} {msg}")
                .unwrap_or_else(|_| ProgressStyle::default_bar());
            let bar = ProgressBar::new(total as u64).with_style(style).with_position(done as u64);
            bar.enable_steady_tick(Duration::from_millis(250));
            bar
        });
        Self { bar, total }
    }

    /// An invocation starts; about `left` remains for all.
    pub fn starts(&self, what: &str, left: Duration) {
        if let Some(bar) = &self.bar {
            bar.set_message(format!("about {} left · {what}", duration(left)));
        }
    }

    /// An invocation has ended, the `done`-th.
    pub fn ended(&self, done: usize, line: &str, left: Duration) {
        match &self.bar {
            Some(bar) => {
                bar.set_position(done as u64);
                bar.println(line);
            }
            None => eprintln!("[{done}/{}] {line} · about {} left", self.total, duration(left)),
        }
    }

    /// Nothing follows.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// A duration in words.
pub fn duration(d: Duration) -> String {
    let s = d.as_secs_f64().round() as u64;
    match s {
        0..60 => format!("{s} s"),
        60..3600 => format!("{} min {} s", s / 60, s % 60),
        _ => format!("{} h {} min", s / 3600, s / 60 % 60),
    }
}
