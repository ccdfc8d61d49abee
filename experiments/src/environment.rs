//! Where a run takes place and with which binary, read from the machine and recorded at build time.

use std::fs::File;
use std::io;
use std::thread;

use trilemma_reports::schema::{Environment, Sensor};

use crate::sensors;

/// The compiler that built this binary.
pub const RUSTC: &str = env!("TRILEMMA_RUSTC");
/// Its flags.
pub const RUST_FLAGS: &str = env!("TRILEMMA_RUST_FLAGS");
/// Cargo profile and optimization level.
pub const PROFILE: &str = env!("TRILEMMA_PROFILE");
const COMMIT: &str = env!("TRILEMMA_COMMIT");
const FEATURES: &str = env!("TRILEMMA_FEATURES");

/// The vector extensions that matter here.
const SIMD: [&str; 9] = ["sse2", "sse4_2", "avx", "avx2", "avx512f", "avx512ifma", "neon", "bmi2", "adx"];

/// Describes this machine and binary.
pub fn describe() -> Environment {
    let cpuinfo = sensors::read("/proc/cpuinfo").unwrap_or_default();
    let field = |names: &[&str]| {
        cpuinfo
            .lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(key, _)| names.contains(&key.trim()))
            .map(|(_, value)| value.trim().to_owned())
    };
    let flags = field(&["flags", "Features"]).unwrap_or_default();
    let has = |list: &str, separator: char, name: &str| {
        list.split(separator).any(|f| f == name || (name == "neon" && f == "asimd"))
    };
    let simd = SIMD.iter().filter(|name| has(&flags, ' ', name)).map(|s| (*s).to_owned()).collect();
    let compiled_name = |name: &str| {
        if name == "sse4_2" { "sse4.2".to_owned() } else { name.to_owned() }
    };
    let simd_compiled = SIMD.iter().map(|name| compiled_name(name)).filter(|name| has(FEATURES, ',', name)).collect();
    let mut environment = Environment {
        machine: String::new(),
        cpu: field(&["model name", "Hardware", "Model"]).unwrap_or_else(|| "unknown".into()),
        cores: cores(),
        memory_bytes: memory_bytes(),
        kernel: kernel(),
        virtualised: flags.split(' ').any(|f| f == "hypervisor"),
        simd,
        simd_compiled,
        rustc: RUSTC.into(),
        rust_flags: RUST_FLAGS.into(),
        profile: PROFILE.into(),
        git_commit: (!COMMIT.is_empty()).then(|| COMMIT.into()),
        binary: binary_digest().unwrap_or_else(|error| format!("unknown: {error}")),
        version: env!("CARGO_PKG_VERSION").into(),
        sensors: sensor_list(),
    };
    environment.machine = machine_key(&environment);
    environment
}

/// Logical processors that this process may use.
pub fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// Memory of the machine, or of the control group if that is less.
pub fn memory_bytes() -> u64 {
    let meminfo = sensors::read("/proc/meminfo").unwrap_or_default();
    let total = meminfo.lines().find_map(|l| l.strip_prefix("MemTotal:"));
    let kib: u64 = total.and_then(|l| l.split_ascii_whitespace().next()?.parse().ok()).unwrap_or(0);
    sensors::cgroup().1.unwrap_or(u64::MAX).min(kib * 1024)
}

fn kernel() -> String {
    let uname = rustix::system::uname();
    format!("{} {}", uname.sysname().to_string_lossy(), uname.release().to_string_lossy())
}

/// BLAKE3 of the running binary.
pub fn binary_digest() -> io::Result<String> {
    let mut hasher = blake3::Hasher::new();
    io::copy(&mut File::open("/proc/self/exe")?, &mut hasher)?;
    Ok(hasher.finalize().to_hex().to_string())
}

/// What makes two machines the same one for a measurement: hardware and kernel. Memory is rounded, as kernels
/// reserve a little more or less of it at each start.
fn machine_key(env: &Environment) -> String {
    let gib = (env.memory_bytes as f64 / f64::from(1 << 30)).round() as u64;
    let text = serde_json::json!([env.cpu, env.cores, gib, env.kernel, env.simd]).to_string();
    blake3::hash(text.as_bytes()).to_hex().to_string()
}

fn sensor(name: &str, reading: Result<String, String>) -> Sensor {
    let (works, detail) = match reading {
        Ok(detail) => (true, detail),
        Err(reason) => (false, reason),
    };
    Sensor { name: name.into(), works, detail }
}

fn sensor_list() -> Vec<Sensor> {
    let (version, limit) = sensors::cgroup();
    let limit = limit.map_or_else(|| "no memory limit".to_owned(), |l| format!("memory limit {l} bytes"));
    let frequency = "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor";
    vec![
        sensor("wall time", Ok("CLOCK_MONOTONIC".into())),
        sensor("core time", Ok(sensors::CORE_SOURCE.into())),
        sensor("system time", sensors::system_ns().map(|_| "/proc/self/stat, in clock ticks".into())),
        sensor("peak memory", sensors::peak_bytes("self").map(|_| sensors::PEAK_SOURCE.into())),
        sensor("energy", sensors::energy_uj().map(|z| format!("RAPL, {} packages", z.len()))),
        sensor("frequency governor", sensors::read(frequency).map(|g| g.trim().to_owned())),
        sensor("load average at the start", sensors::read("/proc/loadavg").map(|l| l.trim().to_owned())),
        sensor("control group", Ok(format!("{version}, {limit}; not used for measuring"))),
    ]
}
