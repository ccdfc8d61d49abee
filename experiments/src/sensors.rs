//! What the machine tells about time, memory and energy. A sensor that does not work says why.

use std::fs;
use std::path::PathBuf;

use rustix::param::{clock_ticks_per_second, page_size};
use rustix::time::{ClockId, clock_gettime};

/// Processor time of this process, all threads, user and system, in nanoseconds.
pub fn core_ns() -> u64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Where [`core_ns`] comes from.
pub const CORE_SOURCE: &str = "CLOCK_PROCESS_CPUTIME_ID";

/// The part of the processor time spent in the kernel, to a clock tick.
pub fn system_ns() -> Result<u64, String> {
    let stat = read("/proc/self/stat")?;
    // The name of the command may hold spaces; the fields after it count from the state.
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks: u64 = after_name
        .split_ascii_whitespace()
        .nth(12)
        .and_then(|field| field.parse().ok())
        .ok_or("/proc/self/stat has no system time")?;
    Ok(ticks * (1_000_000_000 / clock_ticks_per_second().max(1)))
}

/// The largest resident memory of a process, in bytes. `process` is a number or `self`.
pub fn peak_bytes(process: &str) -> Result<u64, String> {
    status_bytes(process, "VmHWM")
}

/// The resident memory of this process, in bytes.
pub fn resident_bytes() -> Result<u64, String> {
    let statm = read("/proc/self/statm")?;
    let pages: Option<u64> = statm.split_ascii_whitespace().nth(1).and_then(|f| f.parse().ok());
    Ok(pages.ok_or("/proc/self/statm has no resident pages")? * page_size() as u64)
}

/// Where [`peak_bytes`] comes from.
pub const PEAK_SOURCE: &str = "VmHWM in /proc/self/status";

fn status_bytes(process: &str, field: &str) -> Result<u64, String> {
    let path = format!("/proc/{process}/status");
    let status = read(&path)?;
    let line = status.lines().find_map(|l| l.strip_prefix(field)?.strip_prefix(':'));
    let kib: Option<u64> = line.and_then(|l| l.split_ascii_whitespace().next()?.parse().ok());
    kib.map(|kib| kib * 1024).ok_or_else(|| format!("{path} has no {field}"))
}

/// Energy counters of the processor's packages, in microjoules.
pub fn energy_uj() -> Result<Vec<u64>, String> {
    let zones = rapl_zones();
    if zones.is_empty() {
        return Err("no RAPL: /sys/class/powercap has no intel-rapl package".into());
    }
    zones.iter().map(|zone| read(&zone.join("energy_uj").to_string_lossy()).and_then(|text| number(&text))).collect()
}

/// The energy between two readings, unless a counter wrapped around.
pub fn energy_between(before: &[u64], after: &[u64]) -> Result<u64, String> {
    let parts: Option<Vec<u64>> = before.iter().zip(after).map(|(b, a)| a.checked_sub(*b)).collect();
    parts.map(|p| p.iter().sum()).ok_or_else(|| "the RAPL counter wrapped around".into())
}

fn rapl_zones() -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir("/sys/class/powercap") else {
        return Vec::new();
    };
    let is_package = |name: &str| name.starts_with("intel-rapl:") && name.matches(':').count() == 1;
    let mut zones: Vec<PathBuf> = entries
        .flatten()
        .map(|e| e.path())
        .filter(|p| p.file_name().is_some_and(|n| is_package(&n.to_string_lossy())))
        .collect();
    zones.sort();
    zones
}

/// The version of the control groups, and the memory that this one may use.
pub fn cgroup() -> (String, Option<u64>) {
    let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    if fs::exists("/sys/fs/cgroup/cgroup.controllers").unwrap_or(false) {
        let path = own.lines().find_map(|l| l.strip_prefix("0::")).unwrap_or("/");
        let limit = read(&format!("/sys/fs/cgroup{path}/memory.max")).and_then(|t| number(&t)).ok();
        return ("v2".into(), limit);
    }
    if fs::exists("/sys/fs/cgroup/memory").unwrap_or(false) {
        let path = own.lines().find_map(|l| l.split_once(":memory:").map(|(_, path)| path)).unwrap_or("/");
        let candidates = [format!("/sys/fs/cgroup/memory{path}"), "/sys/fs/cgroup/memory".to_owned()];
        let limit = candidates.iter().find_map(|dir| number(&read(&format!("{dir}/memory.limit_in_bytes")).ok()?).ok());
        // The kernel writes "no limit" as a number near 2^63.
        return ("v1".into(), limit.filter(|l| *l < 1 << 60));
    }
    ("none".into(), None)
}

/// Reads a file of the kernel.
pub fn read(path: &str) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))
}

fn number(text: &str) -> Result<u64, String> {
    text.trim().parse().map_err(|_| format!("`{}` is no number", text.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_sensed() {
        let before = core_ns();
        let work: Vec<u64> = std::hint::black_box((0..1 << 22).collect());
        assert!(core_ns() > before);
        // The kernel counts pages in batches per core: the peak may lag by a few.
        let held = std::mem::size_of_val(work.as_slice()) as u64;
        assert!(peak_bytes("self").unwrap() >= held / 8 * 7);
        assert!(resident_bytes().unwrap() > 0);
        assert!(system_ns().is_ok());
    }

    #[test]
    fn a_wrapped_counter_is_no_energy() {
        assert_eq!(energy_between(&[5, 6], &[7, 9]), Ok(5));
        assert!(energy_between(&[5], &[4]).is_err());
    }
}
