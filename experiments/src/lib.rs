//! The `trilemma` command and the experiments it runs.
//!
//! A configuration ([`config`]) becomes cells ([`plan`]); a campaign ([`campaign`]) takes them in random blocks, each
//! invocation in a supervised process ([`supervisor`]) that measures once ([`worker`]).

pub mod campaign;
pub mod cli;
pub mod commands;
pub mod config;
pub mod container;
pub mod environment;
pub mod fault;
pub mod files;
pub mod memory;
pub mod plan;
pub mod progress;
pub mod sensors;
pub mod suggest;
pub mod supervisor;
pub mod worker;
