//! `doctor`: which sensors work here.

use serde_json::json;
use trilemma_reports::format;

use super::{Reply, table};
use crate::environment;

pub(super) fn run() -> Reply {
    let env = environment::describe();
    let mut rows: Vec<(&str, String)> = vec![
        ("processor", format!("{}{}", env.cpu, if env.virtualised { " (virtual machine)" } else { "" })),
        ("cores", env.cores.to_string()),
        ("memory", format::bytes(env.memory_bytes as f64)),
        ("kernel", env.kernel.clone()),
        ("vector extensions", env.simd.join(" ")),
        ("compiled for", env.simd_compiled.join(" ")),
        ("compiler", format!("{} [{}], {}", env.rustc, env.rust_flags, env.profile)),
        ("commit", env.git_commit.clone().unwrap_or_else(|| "unknown".into())),
    ];
    for sensor in &env.sensors {
        let detail = if sensor.works { sensor.detail.clone() } else { format!("unavailable: {}", sensor.detail) };
        rows.push((&sensor.name, detail));
    }
    let mut text = table(&rows);
    if env.profile.starts_with("debug") {
        text.push_str("\nwarning: this is a debug build; measure with --release\n");
    }
    Reply { text, json: json!(env) }
}
