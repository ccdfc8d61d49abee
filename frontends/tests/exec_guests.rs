//! The guests, end to end: known answers, and the exit code and public output that qemu-riscv32 gives.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use trilemma_frontends::riscv::elf::{ElfError, Program};
use trilemma_frontends::riscv::exec::{ExecError, Outcome, Silent, TrapReason, execute};

const MAX_CYCLES: u64 = 200_000_000;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("guests")
}

fn path(name: &str) -> PathBuf {
    folder().join("elf").join(name).with_extension("elf")
}

/// A guest's program, unless it has not been built.
fn load(name: &str) -> Option<Result<Program, ElfError>> {
    match fs::read(path(name)) {
        Ok(file) => Some(Program::from_elf(&file)),
        Err(_) => {
            println!("skipped {name}: there is no such guest");
            None
        }
    }
}

fn run(name: &str, input: &[u8]) -> Option<Outcome> {
    let program = load(name)?.unwrap_or_else(|error| panic!("{name}: {error}"));
    Some(execute(&program, input, MAX_CYCLES, &mut Silent).unwrap_or_else(|error| panic!("{name}: {error}")))
}

/// The input of a guest that makes its own data from a size.
fn size(n: u32) -> Vec<u8> {
    n.to_le_bytes().to_vec()
}

/// A file among the guests' inputs.
fn input(name: &str) -> Vec<u8> {
    fs::read(folder().join("inputs").join(name)).unwrap_or_default()
}

fn message(text: &[u8]) -> Vec<u8> {
    [&[0; 4], text].concat()
}

#[test]
fn known_answers() {
    let sha256_abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let keccak256_abc = "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45";
    for (name, input, output) in [
        ("fibonacci", size(10), "37000000"),
        ("fibonacci", size(0), "00000000"),
        ("sha256", message(b"abc"), sha256_abc),
        ("sha256_rust", message(b"abc"), sha256_abc),
        ("keccak256", message(b"abc"), keccak256_abc),
        ("ecdsa", input("ecdsa-1.bin"), "01000000"),
        ("ecdsa", input("ecdsa-4-one-bad.bin"), "03000000"),
    ] {
        let Some(outcome) = run(name, &input) else {
            continue;
        };
        assert_eq!(outcome.exit_code, 0, "{name}: {}", String::from_utf8_lossy(&outcome.debug));
        let hex: String = outcome.output.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, output, "{name}");
    }
}

#[test]
fn guests_that_fail() {
    let load_error = |name, expected: ElfError| {
        if let Some(result) = load(name) {
            assert_eq!(result.unwrap_err(), expected, "{name}");
        }
    };
    load_error("bad_arch", ElfError::NotRiscv { machine: 3 });
    load_error("bad_rv64", ElfError::Not32Bit);
    load_error("bad_rvc", ElfError::Compressed);

    let trap = |name, expected: fn(&TrapReason) -> bool| {
        let Some(program) = load(name) else { return };
        match execute(&program.unwrap(), &[], 10_000, &mut Silent) {
            Err(ExecError::Trap { reason, .. }) if expected(&reason) => {}
            other => panic!("{name}: {other:?}"),
        }
    };
    trap("bad_ecall", |reason| *reason == TrapReason::UnknownEcall { a7: 9999 });
    trap("bad_unimp", |reason| *reason == TrapReason::IllegalInstruction { word: 0xc000_1073 });
    trap("bad_float", |reason| matches!(reason, TrapReason::IllegalInstruction { .. }));
    trap("bad_jump", |reason| *reason == TrapReason::FetchOutsideCode);
    trap("bad_load", |reason| *reason == TrapReason::LoadOutsideRam { addr: 16, len: 4 });

    if let Some(program) = load("bad_loop") {
        let max = 10_000;
        assert_eq!(execute(&program.unwrap(), &[], max, &mut Silent), Err(ExecError::CycleLimit { max }));
    }
    if let Some(outcome) = run("exit7", &[]) {
        assert_eq!((outcome.exit_code, outcome.output), (7, vec![]));
    }
}

/// What qemu-riscv32 makes of a guest: the exit code's low byte and the bytes written to fd 3.
fn qemu(name: &str, input: &[u8]) -> (i32, Vec<u8>) {
    let scratch = tempfile::tempdir().unwrap();
    let (stdin, output) = (scratch.path().join("input"), scratch.path().join("output"));
    fs::write(&stdin, input).unwrap();
    let status = Command::new("sh")
        .args(["-c", r#"exec qemu-riscv32 "$0" 3>"$1""#])
        .args([path(name), output.clone()])
        .stdin(File::open(&stdin).unwrap())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    (status.code().unwrap(), fs::read(output).unwrap())
}

#[test]
fn exit_code_and_output_are_those_of_qemu() {
    if Command::new("qemu-riscv32").arg("--version").stdout(Stdio::null()).status().is_err() {
        println!("skipped: qemu-riscv32 is not installed");
        return;
    }
    for (name, input) in [
        ("fibonacci", size(100_000)),
        ("fibonacci", vec![1]),
        ("sha256", size(3000)),
        ("sha256", message(&[0x61; 119])),
        ("sha256_rust", size(3000)),
        ("keccak256", size(1000)),
        ("sort", size(5000)),
        ("sort", size(0)),
        ("matmul", size(24)),
        ("memory", size(20_000)),
        ("json", input("json-3k.json")),
        ("json", b"{\"a\": [1, -2.5, null".to_vec()),
        ("ecdsa", input("ecdsa-4-one-bad.bin")),
        ("isa_edge", vec![]),
        ("isa_edge", vec![0; 100]),
        ("exit7", vec![]),
    ] {
        let Some(outcome) = run(name, &input) else {
            continue;
        };
        let (code, output) = qemu(name, &input);
        assert_eq!(outcome.exit_code & 0xff, code as u32, "{name}");
        assert_eq!(outcome.output, output, "{name}");
        println!("{name}: {} cycles, {} misaligned accesses", outcome.cycles, outcome.misaligned);
    }
}
