//! The `trilemma` command.

use std::process::ExitCode;

use clap::Parser as _;
use trilemma_experiments::cli::{Cli, Command};
use trilemma_experiments::{commands, memory, worker};

fn main() -> ExitCode {
    memory::keep_freed();
    let cli = Cli::parse();
    if matches!(cli.command, Command::Worker) {
        return worker::main();
    }
    match commands::run(&cli.command) {
        Ok(reply) => {
            reply.print(cli.json);
            ExitCode::SUCCESS
        }
        Err(fault) => {
            eprintln!("error: {fault}");
            if cli.json {
                println!("{}", serde_json::json!({ "error": fault.to_string() }));
            }
            ExitCode::from(fault.exit_code())
        }
    }
}
