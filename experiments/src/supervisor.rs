//! Starts a worker in a process group of its own, watches its limits, and ends the whole group when it must.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use trilemma_reports::schema::{Measurement, Status};

use crate::sensors;
use crate::worker::THREADS;

/// How a worker is started.
#[derive(Debug, Clone)]
pub struct Worker {
    /// Program.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// Threads it may use.
    pub threads: usize,
    /// Resident memory it may use.
    pub memory_bytes: Option<u64>,
    /// Wall time it may use.
    pub wall: Duration,
}

/// How an invocation ended.
#[derive(Debug)]
pub enum Ended {
    /// With a row, made by the worker or about its end.
    Row(Box<Measurement>),
    /// It was stopped from outside and counts for nothing.
    Interrupted,
}

const POLL: Duration = Duration::from_millis(10);

/// Lines of a log that a row quotes.
const QUOTED: usize = 400;

impl Worker {
    /// Runs one job. What the worker writes on standard error goes to `log`, which is removed if it stays empty.
    pub fn run(&self, job: &str, log: &Path, stop: &AtomicBool) -> io::Result<Ended> {
        let mut child = Command::new(&self.program)
            .args(&self.args)
            .env(THREADS, self.threads.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(log)?)
            .process_group(0)
            .spawn()?;
        let feed = feed(&mut child, job);
        let output = collect(&mut child);
        let verdict = self.watch(&mut child, stop);
        let verdict = verdict.inspect_err(|_| kill(&child))?;
        // A worker that ended before it read its job has broken the pipe; its exit says why.
        let _ = feed.join();
        let output = output.join().unwrap_or_default();
        let ended = match verdict {
            Verdict::Exit(status) => Ended::Row(Box::new(read_row(status, &output, log))),
            Verdict::Limit(status, reason) => Ended::Row(Box::new(Measurement::failed(status, reason))),
            Verdict::Stopped => Ended::Interrupted,
        };
        if fs::metadata(log).is_ok_and(|m| m.len() == 0) {
            fs::remove_file(log)?;
        }
        Ok(ended)
    }

    /// Waits for the child's end, or brings it about.
    fn watch(&self, child: &mut Child, stop: &AtomicBool) -> io::Result<Verdict> {
        let start = Instant::now();
        loop {
            if let Some(status) = child.try_wait()? {
                return Ok(Verdict::Exit(status));
            }
            let verdict = if stop.load(Ordering::Relaxed) {
                Some(Verdict::Stopped)
            } else if start.elapsed() > self.wall {
                let text = format!("no row within {} s", self.wall.as_secs_f64());
                Some(Verdict::Limit(Status::TimeoutWall, text))
            } else {
                self.over_memory(child)
            };
            if let Some(verdict) = verdict {
                kill(child);
                child.wait()?;
                return Ok(verdict);
            }
            thread::sleep(POLL);
        }
    }

    fn over_memory(&self, child: &Child) -> Option<Verdict> {
        let limit = self.memory_bytes?;
        let peak = sensors::peak_bytes(&child.id().to_string()).ok()?;
        let gib = |bytes: u64| bytes as f64 / f64::from(1 << 30);
        let text = || format!("{:.2} GiB resident, the limit is {:.2} GiB", gib(peak), gib(limit));
        (peak > limit).then(|| Verdict::Limit(Status::Oom, text()))
    }
}

enum Verdict {
    Exit(ExitStatus),
    Limit(Status, String),
    Stopped,
}

/// Ends the child's whole process group.
fn kill(child: &Child) {
    if let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        // The group may be gone already.
        let _ = kill_process_group(pid, Signal::KILL);
    }
}

fn feed(child: &mut Child, job: &str) -> JoinHandle<io::Result<()>> {
    let stdin = child.stdin.take();
    let job = job.to_owned();
    thread::spawn(move || stdin.map_or(Ok(()), |mut pipe| pipe.write_all(job.as_bytes())))
}

fn collect(child: &mut Child) -> JoinHandle<String> {
    let stdout = child.stdout.take();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = stdout {
            let _ = pipe.read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// The row of a worker that ended by itself.
fn read_row(status: ExitStatus, output: &str, log: &Path) -> Measurement {
    let said = || {
        let text = fs::read_to_string(log).unwrap_or_default();
        let text = text.trim();
        let start = text.char_indices().rev().nth(QUOTED).map_or(0, |(i, _)| i);
        text[start..].to_owned()
    };
    if let Some(signal) = status.signal() {
        let said = said();
        let memory = signal == Signal::KILL.as_raw() || said.contains("memory allocation of");
        let kind = if memory { Status::Oom } else { Status::Crash };
        return Measurement::failed(kind, format!("ended by signal {signal}; {said}"));
    }
    if !status.success() {
        let code = status.code().unwrap_or(-1);
        return Measurement::failed(Status::Exit, format!("exit code {code}; {}", said()));
    }
    let row = output.lines().rev().find(|line| line.starts_with('{')).map(serde_json::from_str);
    match row {
        Some(Ok(row)) => row,
        Some(Err(error)) => Measurement::failed(Status::Infra, format!("the worker's row is malformed: {error}")),
        None => Measurement::failed(Status::Infra, "the worker wrote no row"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Worker {
        Worker {
            program: "/bin/sh".into(),
            args: vec!["-c".into(), script.into()],
            threads: 1,
            memory_bytes: None,
            wall: Duration::from_secs(20),
        }
    }

    fn row(worker: &Worker) -> Measurement {
        let dir = tempfile::tempdir().unwrap();
        match worker.run("{}", &dir.path().join("log"), &AtomicBool::new(false)).unwrap() {
            Ended::Row(row) => *row,
            Ended::Interrupted => panic!("interrupted"),
        }
    }

    #[test]
    fn a_row_is_the_last_line_in_braces() {
        let text = serde_json::to_string(&Measurement::failed(Status::Unsupported, "x")).unwrap();
        let got = row(&shell(&format!("echo noise; echo '{text}'; cat >/dev/null")));
        assert_eq!((got.status, got.reason.as_deref()), (Status::Unsupported, Some("x")));
    }

    #[test]
    fn ends_are_told_apart() {
        assert_eq!(row(&shell("exit 3")).status, Status::Exit);
        assert_eq!(row(&shell("echo hello")).status, Status::Infra);
        assert_eq!(row(&shell("kill -SEGV $$")).status, Status::Crash);
        assert_eq!(row(&shell("kill -KILL $$")).status, Status::Oom);
        let aborted = row(&shell("echo 'memory allocation of 8 bytes failed' >&2; kill -ABRT $$"));
        assert_eq!(aborted.status, Status::Oom);
        assert!(aborted.reason.unwrap().contains("memory allocation of 8 bytes"));
    }

    #[test]
    fn a_limit_ends_the_whole_group() {
        let worker = Worker { wall: Duration::from_millis(100), ..shell("sleep 30 & sleep 30") };
        let start = Instant::now();
        assert_eq!(row(&worker).status, Status::TimeoutWall);
        // The grandchild held the pipe; had it survived, this would have waited for it.
        assert!(start.elapsed() < Duration::from_secs(10));
        let worker = Worker { memory_bytes: Some(1000), ..shell("sleep 30") };
        assert_eq!(row(&worker).status, Status::Oom);
    }

    #[test]
    fn a_stopped_invocation_has_no_row() {
        let dir = tempfile::tempdir().unwrap();
        let ended = shell("sleep 30").run("{}", &dir.path().join("log"), &AtomicBool::new(true));
        assert!(matches!(ended, Ok(Ended::Interrupted)));
    }
}
