//! Planning and measuring with a worker that only prints a row.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use trilemma_experiments::campaign::{Campaign, Tally};
use trilemma_experiments::config::Config;
use trilemma_experiments::environment;
use trilemma_experiments::plan::{Build, Plan};
use trilemma_experiments::supervisor::Worker;
use trilemma_reports::schema::{Counts, Measurement, Phases, Status};
use trilemma_reports::{Model, Run, page};

const CONFIG: &str = r#"
name = "fake"
seed = 7
repetitions = 3
limits = { wall_s = 20, threads = 1 }
programs = [
  { name = "fibonacci", elf = "fibonacci.elf", sizes = [{ label = "10", input_u32 = 10 }, { label = "1000", input_u32 = 1000 }] },
  { name = "exit7", elf = "exit7.elf", sizes = [{ label = "-" }] },
]
pipelines = [
  { pipeline = "a/b/c/d" },
  { pipeline = "a/b/c/d", hash = "keccak", programs = ["fibonacci"] },
  { pipeline = "a/b/kzg/d", max_cycles = 1000, repetitions = 2 },
]
"#;

fn elfs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../frontends/guests/elf")
}

fn build() -> Build {
    Build { binary: "b".into(), rustc: "r".into(), flags: "f".into() }
}

fn plan_of(config: &str) -> Plan {
    Plan::new(&Config::parse(config).expect("a configuration"), &elfs(), &build()).expect("a plan")
}

fn keys(plan: &Plan) -> Vec<String> {
    plan.cells.iter().map(|p| p.cell.cell.clone()).collect()
}

fn order(plan: &Plan) -> Vec<(u32, String)> {
    plan.invocations().map(|(block, p)| (block, p.cell.cell.clone())).collect()
}

#[test]
fn plans_are_a_function_of_what_matters() {
    let plan = plan_of(CONFIG);
    assert_eq!(plan.cells.len(), 3 + 2 + 2, "filters by program and by cycles");
    assert_eq!(order(&plan).len(), 3 * 5 + 2 * 2);
    assert_eq!(keys(&plan).iter().collect::<BTreeSet<_>>().len(), 7);
    let again = plan_of(CONFIG);
    assert_eq!((keys(&plan), order(&plan)), (keys(&again), order(&again)));

    let relabelled = plan_of(&CONFIG.replace("label = \"10\"", "label = \"ten\"").replace("\"fake\"", "\"other\""));
    assert_eq!(keys(&plan), keys(&relabelled), "labels are not hashed");
    for (from, to) in
        [("input_u32 = 10 ", "input_u32 = 11 "), ("wall_s = 20", "wall_s = 21"), ("threads = 1", "threads = 2")]
    {
        assert_ne!(keys(&plan), keys(&plan_of(&CONFIG.replace(from, to))), "{to}");
    }
    let config = Config::parse(CONFIG).expect("a configuration");
    let rebuilt = Plan::new(&config, &elfs(), &Build { binary: "c".into(), ..build() }).expect("a plan");
    assert_ne!(keys(&plan), keys(&rebuilt), "the binary is hashed");

    let reseeded = plan_of(&CONFIG.replace("seed = 7", "seed = 8"));
    assert_eq!(keys(&plan), keys(&reseeded));
    assert_ne!(order(&plan), order(&reseeded));
    let block =
        |b| order(&plan).into_iter().filter(move |(block, _)| *block == b).map(|(_, cell)| cell).collect::<Vec<_>>();
    assert_ne!(block(0), block(1), "every block has its own order");
}

fn row() -> Measurement {
    Measurement {
        status: Status::Ok,
        reason: None,
        bits: Some(101.0),
        phases: Phases { prove_total_ns: Some(1_000_000), ..Phases::default() },
        counts: Some(Counts { cycles: 1, proof_bytes: 1000, ..Counts::default() }),
        ..Measurement::failed(Status::Ok, "")
    }
}

fn fake_worker(dir: &Path) -> Worker {
    let path = dir.join("row.json");
    fs::write(&path, serde_json::to_string(&row()).expect("a row")).expect("a file");
    Worker {
        program: "/bin/sh".into(),
        args: vec!["-c".into(), format!("cat >/dev/null; cat '{}'", path.display()).into()],
        threads: 1,
        memory_bytes: None,
        wall: Duration::from_secs(20),
    }
}

#[test]
fn a_run_resumes_without_running_anything_twice() {
    let scratch = tempfile::tempdir().expect("a directory");
    let worker = fake_worker(scratch.path());
    let dir = scratch.path().join("run");
    let plan = plan_of(CONFIG);
    let env = environment::describe();
    let total = plan.invocations().count();

    let mut campaign = Campaign::create(&plan, CONFIG, &env, &dir).expect("a new run");
    let stopped = campaign.measure(&worker, &AtomicBool::new(true)).expect("nothing to do");
    assert_eq!(stopped, Tally { rows: 0, measured: 0, failed: 0, missing: total, interrupted: true });
    assert!(!dir.join("MANIFEST").exists());
    let done = Campaign::resume(&plan, &env, &dir).expect("a run").measure(&worker, &AtomicBool::new(false));
    assert_eq!(done.expect("rows"), Tally { rows: total, measured: total, failed: 0, missing: 0, interrupted: false });

    // As a crash leaves it: some rows, and half of one.
    let samples = dir.join("samples.jsonl");
    let text = fs::read_to_string(&samples).expect("rows");
    let five: String = text.split_inclusive('\n').take(5).collect();
    fs::write(&samples, format!("{five}{{\"schema\":1,\"mach")).expect("rows");
    let done = Campaign::resume(&plan, &env, &dir).expect("a run").measure(&worker, &AtomicBool::new(false));
    assert_eq!(
        done.expect("rows"),
        Tally { rows: total, measured: total - 5, failed: 0, missing: 0, interrupted: false }
    );
    assert!(fs::read_to_string(&samples).expect("rows").starts_with(&five));

    let run = Run::read(&dir).expect("a run");
    let got: Vec<(u32, String)> = run.samples.iter().map(|s| (s.block, s.cell.cell.clone())).collect();
    assert_eq!(got, order(&plan), "every invocation once, in the order of the plan");
    assert!(dir.join("MANIFEST").exists() && fs::read_dir(dir.join("logs")).expect("logs").next().is_none());

    let model = Model::new(run);
    assert!(
        model.errors.iter().all(|e| e.contains("1 cycles proven")),
        "the fake row lies about cycles: {:?}",
        model.errors
    );
    assert!(page::page(&model).contains("contradicts itself"));
}

#[test]
fn only_the_same_run_resumes() {
    let scratch = tempfile::tempdir().expect("a directory");
    let dir = scratch.path().join("run");
    let plan = plan_of(CONFIG);
    let env = environment::describe();
    Campaign::create(&plan, CONFIG, &env, &dir).expect("a new run");
    let refused = |result: Result<Campaign<'_>, _>| {
        result.err().map(|f: trilemma_experiments::fault::Fault| f.to_string()).expect("a refusal")
    };

    assert!(refused(Campaign::create(&plan, CONFIG, &env, &dir)).contains("is not empty; add --resume"));
    let changed = plan_of(&CONFIG.replace("input_u32 = 10 ", "input_u32 = 11 "));
    assert!(
        refused(Campaign::resume(&changed, &env, &dir))
            .contains("the configuration or a file that it names has changed")
    );
    let mut other = env.clone();
    other.machine = "another".into();
    assert!(refused(Campaign::resume(&plan, &other, &dir)).contains("another machine"));
    let mut other = env;
    other.binary = "another".into();
    assert!(refused(Campaign::resume(&plan, &other, &dir)).contains("another build"));
}

#[test]
fn programs_that_cannot_run_are_found_while_planning() {
    let error = |from: &str, to: &str| {
        let config = Config::parse(&CONFIG.replace(from, to)).expect("a configuration");
        Plan::new(&config, &elfs(), &build()).expect_err("no plan").to_string()
    };
    assert!(error("exit7.elf", "nothing.elf").contains("programs[1].elf: "));
    assert!(error("exit7.elf", "bad_rvc.elf").contains("compiled with the C extension"));
    let trap = error("exit7.elf", "bad_unimp.elf");
    assert!(trap.starts_with("programs[1].sizes[0] (`exit7`, `-`): trap at pc"), "{trap}");
    let limit = error("elf = \"exit7.elf\"", "elf = \"bad_loop.elf\", max_cycles = 1000");
    assert!(limit.contains("did not exit within 1000 cycles"), "{limit}");
    let twice = error(
        "{ pipeline = \"a/b/c/d\" },",
        "{ pipeline = \"a/b/c/d\" }, { pipeline = \"a/b/c/d\", label = \"again\" },",
    );
    assert!(twice.contains("measured twice"), "{twice}");
    let all = CONFIG.split("pipelines = [").next().expect("programs").to_owned();
    let config =
        Config::parse(&format!("{all}pipelines = [{{ pipeline = \"a\", max_cycles = 1 }}]")).expect("a configuration");
    let nothing = Plan::new(&config, &elfs(), &build()).expect_err("no plan").to_string();
    assert!(nothing.contains("leave no cell"), "{nothing}");
}
