//! The command's errors: each names the file, the key and the legal choices, and has its exit code.

use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use serde_json::Value;

fn trilemma(args: &[&str]) -> Command {
    let mut command = Command::cargo_bin("trilemma").expect("the binary");
    command.args(args);
    command
}

/// Exit code and standard error.
fn fails(args: &[&str]) -> (i32, String) {
    let output = trilemma(args).output().expect("the command runs");
    (output.status.code().expect("an exit code"), String::from_utf8(output.stderr).expect("text"))
}

fn elf(name: &str) -> String {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../frontends/guests/elf");
    dir.join(format!("{name}.elf")).display().to_string()
}

#[test]
fn exec_prints_the_outcome() {
    let output =
        trilemma(&["exec", &elf("fibonacci"), "--input-u32", "10", "--json"]).output().expect("the command runs");
    assert!(output.status.success());
    let json: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    assert_eq!((&json["exit_code"], &json["output"]), (&Value::from(0), &Value::from("37000000")));
    let text = trilemma(&["exec", &elf("exit7")]).output().expect("the command runs");
    assert!(text.status.success() && String::from_utf8_lossy(&text.stdout).contains("exit code   7"));
}

#[test]
fn bad_programs_are_named() {
    let dir = tempfile::tempdir().expect("a directory");
    let junk = dir.path().join("junk");
    fs::write(&junk, "no program").expect("a file");
    let cases: [(&str, i32, &str); 6] = [
        (junk.to_str().expect("text"), 1, "not an ELF file"),
        (&elf("bad_arch"), 1, "not a RISC-V ELF file"),
        (&elf("bad_rv64"), 1, "not a 32-bit ELF file"),
        (&elf("bad_rvc"), 1, "C extension"),
        (&elf("bad_unimp"), 1, "trap at pc"),
        ("nowhere.elf", 2, "nowhere.elf: No such file"),
    ];
    for (path, code, text) in cases {
        let (got, error) = fails(&["exec", path]);
        assert_eq!(got, code, "{path}: {error}");
        assert!(error.contains(text) && error.contains(path), "{path}: {error}");
    }
    let (code, error) = fails(&["exec", &elf("bad_loop"), "--max-cycles", "1000"]);
    assert!(code == 1 && error.contains("did not exit within 1000 cycles"), "{error}");
}

#[test]
fn bad_inputs_are_named() {
    let (code, error) = fails(&["exec", &elf("json"), "--input", "nowhere.json"]);
    assert!(code == 2 && error.contains("input: nowhere.json: No such file"), "{error}");
    let (code, error) = fails(&["exec", &elf("json"), "--input-hex", "0xgg"]);
    assert!(code == 2 && error.contains("input: not hexadecimal"), "{error}");
    let (code, error) = fails(&["exec", &elf("json"), "--input-hex", "00", "--input-u32", "1"]);
    assert!(code == 2 && error.contains("cannot be used with"), "{error}");
}

#[test]
fn bad_pipelines_are_named() {
    let prove = |flags: &[&str]| {
        let program = elf("exit7");
        let mut args = vec!["prove", &program, "-o", "unwritten.proof"];
        args.extend(flags);
        fails(&args)
    };
    let (code, error) = prove(&["--pipeline", "air/nothing/fri/koalabear4"]);
    assert!(code == 2 && error.contains("air/nothing/fri/koalabear4"), "{error}");
    let (code, error) = prove(&["--hash", "blake2"]);
    assert!(code == 2 && error.contains("legal choices: blake3, keccak, poseidon2; did you mean `blake3`?"), "{error}");
    let (code, error) = prove(&["--regime", "capacity"]);
    assert!(code == 2 && error.contains("legal choices: udr, jbr"), "{error}");
    assert!(!Path::new("unwritten.proof").exists());
}

#[test]
fn a_proof_needs_only_its_program_or_its_key() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = |name: &str| dir.path().join(name).display().to_string();
    let (proof, key, other_key) = (file("x.proof"), file("x.key"), file("y.key"));
    let succeeds = |args: &[&str]| {
        let output = trilemma(args).output().expect("the command runs");
        let text = String::from_utf8(output.stdout).expect("text");
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        text
    };
    let (exit7, fibonacci) = (elf("exit7"), elf("fibonacci"));
    let text = succeeds(&["prove", &exit7, "-o", &proof]);
    assert!(text.contains("<- weakest") && text.contains("committed cells"), "{text}");
    succeeds(&["key", &exit7, "-o", &key]);
    succeeds(&["key", &fibonacci, "-o", &other_key]);
    for args in [["--program", &exit7], ["--key", &key]] {
        let text = succeeds(&["verify", &proof, args[0], args[1], "--json"]);
        let json: Value = serde_json::from_str(&text).expect("one JSON object");
        assert_eq!((&json["exit_code"], &json["output"]), (&Value::from(7), &Value::from("")));
    }
    let refused = |args: &[&str], text: &str| {
        let (code, error) = fails(args);
        assert!(code == 1 && error.contains(text), "{args:?}: {code} {error}");
    };
    refused(&["verify", &proof, "--program", &fibonacci], "about another program");
    refused(&["verify", &proof, "--key", &other_key], "not the key of this proof: program");
    refused(&["verify", &key, "--key", &key], "this is a verifying-key file, not a proof file");
    refused(&["verify", &proof, "--key", &proof], "this is a proof file, not a verifying-key file");
    refused(&["verify", &proof, "--key", &key, "--min-security", "120"], "made for 100 bits");
    refused(&["verify", &proof, "--key", &key, "--srs", &key], "without the reference string");

    let mut bytes = fs::read(&proof).expect("the proof");
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let at = text.find("\"exit_code\":7").expect("the header") + "\"exit_code\":".len();
    // Lossy text may be longer than the bytes; the header comes first and is plain.
    bytes[at] = b'8';
    let forged = file("forged.proof");
    fs::write(&forged, &bytes).expect("a file");
    refused(&["verify", &forged, "--key", &key], "rejected: ");
    fs::write(&forged, &bytes[..bytes.len() - 1]).expect("a file");
    refused(&["verify", &forged, "--key", &key], "the proof file is cut off");
}

#[test]
fn limits_of_the_prover_are_named() {
    let dir = tempfile::tempdir().expect("a directory");
    let proof = dir.path().join("x.proof").display().to_string();
    let prove = |program: &str, flags: &[&str]| {
        let program = elf(program);
        let mut args = vec!["prove", &program, "-o", &proof];
        args.extend(flags);
        fails(&args)
    };
    let (code, error) = prove("bad_loop", &["--max-cycles", "1000"]);
    assert!(code == 1 && error.contains("did not exit within 1000 cycles"), "{error}");
    let (code, error) = prove("bad_unimp", &[]);
    assert!(code == 1 && error.contains("trap at pc"), "{error}");
    let (code, error) = prove("exit7", &["--memory-gib", "0.001"]);
    assert!(code == 1 && error.contains("memory limit of 0.001 GiB"), "{error}");
    let (code, error) = fails(&["prove", &elf("exit7"), "-o", "nowhere/x.proof"]);
    assert!(code == 2 && error.contains("nowhere is no directory"), "{error}");
    assert!(!Path::new(&proof).exists());
}

#[test]
fn bad_proof_files_are_named() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("x.proof");
    fs::write(&path, "no proof").expect("a file");
    let path = path.to_str().expect("text");
    let (code, error) = fails(&["verify", path, "--program", &elf("exit7")]);
    assert!(code == 1 && error.contains("x.proof: not a proof file"), "{error}");
    let (code, error) = fails(&["verify", "nowhere.proof", "--program", &elf("exit7")]);
    assert!(code == 2 && error.contains("nowhere.proof"), "{error}");
    let (code, error) = fails(&["verify", path]);
    assert!(code == 2 && error.contains("--program"), "{error}");
}

#[test]
fn errors_are_json_too() {
    let output = trilemma(&["exec", "nowhere.elf", "--json"]).output().expect("the command runs");
    let json: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    assert!(json["error"].as_str().is_some_and(|e| e.contains("nowhere.elf")));
}

fn config(dir: &Path, change: (&str, &str)) -> PathBuf {
    let text = format!(
        r#"
name = "test"
repetitions = 1

[security]
bits = 100

[[programs]]
name = "fibonacci"
elf = "{}"
sizes = [{{ label = "10", input_u32 = 10 }}]

[[pipelines]]
pipeline = "air/uni-stark/fri/koalabear4"
hash = "blake3"
"#,
        elf("fibonacci")
    );
    assert!(text.contains(change.0), "{change:?}");
    let path = dir.join("test.toml");
    fs::write(&path, text.replace(change.0, change.1)).expect("a file");
    path
}

#[test]
fn bad_configurations_are_named() {
    let dir = tempfile::tempdir().expect("a directory");
    let cases: [((&str, &str), &[&str]); 11] = [
        (("pipeline =", "pipline ="), &["unknown field `pipline`", "did you mean `pipeline`?"]),
        (("repetitions", "repetition"), &["unknown field `repetition`", "did you mean `repetitions`?"]),
        (("bits = 100", "bit = 100"), &["unknown field `bit`", "`regime`"]),
        (("bits = 100", "regime = \"capacity\""), &["unknown variant `capacity`", "`udr`"]),
        (("repetitions = 1", "repetitions = 0"), &["repetitions: must be at least 1"]),
        (("name = \"test\"", "name = \"../test\""), &["name: `../test`"]),
        (("\"blake3\"", "\"blake\""), &["pipelines[0].hash", "legal choices: blake3", "did you mean `blake3`?"]),
        (("hash = \"blake3\"", "programs = [\"fibonaci\"]"), &["pipelines[0].programs", "did you mean `fibonacci`?"]),
        (("input_u32 = 10", "input_u32 = 10, input_hex = \"00\""), &["programs[0].sizes[0]: give one of"]),
        (
            ("air/uni-stark/fri/koalabear4", "air/uni-stark/fry/koalabear4"),
            &["pipelines[0]", "air/uni-stark/fry/koalabear4"],
        ),
        (("[[pipelines]]", "[[pipelines"), &["TOML parse error"]),
    ];
    for (change, texts) in cases {
        let path = config(dir.path(), change);
        let (code, error) = fails(&["run", path.to_str().expect("text"), "--plan"]);
        assert_eq!(code, 2, "{change:?}: {error}");
        for text in texts.iter().chain(&["test.toml: "]) {
            assert!(error.contains(text), "{change:?}: {text}: {error}");
        }
    }
    let (code, error) = fails(&["run", "nowhere.toml"]);
    assert!(code == 2 && error.contains("nowhere.toml: No such file"), "{error}");
    let (code, error) = fails(&["report", "nowhere"]);
    assert!(code == 2 && error.contains("experiment.toml"), "{error}");
}

#[test]
fn exports_are_written_whole_or_not_at_all() {
    let dir = tempfile::tempdir().expect("a directory");
    let prefix = dir.path().join("exit7").display().to_string();
    let written = || fs::read_dir(dir.path()).expect("a directory").count();
    let (code, error) = fails(&["export", &elf("exit7"), "--setting", "koalabear4", "-o", &prefix]);
    assert!(code == 2 && error.contains("bls12-381, bn254, pallas, vesta"), "{error}");
    let (code, error) = fails(&["export", &elf("bad_unimp"), "-o", &prefix]);
    assert!(code == 1 && error.contains("trap at pc") && written() == 0, "{error}");
    let output = trilemma(&["export", &elf("exit7"), "-o", &prefix, "--json"]).output().expect("the command runs");
    let json: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    assert!(json["exit_code"] == 7 && json["constraints"].as_u64() > Some(1 << 16), "{json}");
    assert!(fs::read(format!("{prefix}.r1cs")).expect("a file").starts_with(b"r1cs"));
    assert!(fs::read(format!("{prefix}.wtns")).expect("a file").starts_with(b"wtns"));
}

#[test]
fn reference_strings_are_of_both_kinds() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("srs").display().to_string();
    for kind in ["univariate", "multilinear"] {
        let output = trilemma(&["srs", "bn254", "--kind", kind, "--log-size", "4", "-o", &file]).output();
        let text = String::from_utf8(output.expect("the command runs").stdout).expect("text");
        assert!(text.contains(kind) && text.contains("INSECURE"), "{text}");
    }
    let (code, error) = fails(&["srs", "pallas", "--log-size", "4", "-o", &file]);
    assert!(code != 0 && error.contains("bls12-381, bn254"), "{error}");
}

#[test]
fn every_other_command_has_both_forms() {
    for args in [["doctor"], ["matrix"]] {
        let text = trilemma(&args).output().expect("the command runs");
        assert!(text.status.success() && !text.stdout.is_empty(), "{args:?}");
        let json = trilemma(&args).arg("--json").output().expect("the command runs");
        assert!(serde_json::from_slice::<Value>(&json.stdout).is_ok_and(|v| v.is_object()), "{args:?}");
    }
}
