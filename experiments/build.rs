//! Records how the binary is built, for the environment of a run.

use std::env;
use std::path::Path;
use std::process::Command;

fn main() {
    let var = |name: &str| env::var(name).unwrap_or_default();
    let flags = var("CARGO_ENCODED_RUSTFLAGS").replace('\u{1f}', " ");
    println!("cargo::rustc-env=TRILEMMA_RUST_FLAGS={flags}");
    println!("cargo::rustc-env=TRILEMMA_PROFILE={}, opt-level {}", var("PROFILE"), var("OPT_LEVEL"));
    println!("cargo::rustc-env=TRILEMMA_FEATURES={}", var("CARGO_CFG_TARGET_FEATURE"));
    let rustc = output(Command::new(var("RUSTC")).arg("--version")).unwrap_or_default();
    println!("cargo::rustc-env=TRILEMMA_RUSTC={rustc}");
    let commit = output(Command::new("git").args(["rev-parse", "HEAD"])).unwrap_or_default();
    println!("cargo::rustc-env=TRILEMMA_COMMIT={commit}");
    println!("cargo::rerun-if-changed=build.rs");
    // The log of HEAD grows with every commit. A path that does not exist would rerun this every time.
    if let Some(dir) = output(Command::new("git").args(["rev-parse", "--absolute-git-dir"])) {
        let log = Path::new(&dir).join("logs").join("HEAD");
        if log.exists() {
            println!("cargo::rerun-if-changed={}", log.display());
        }
    }
}

fn output(command: &mut Command) -> Option<String> {
    let output = command.output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}
