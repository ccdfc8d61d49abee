//! What the reference system for circuits refuses before any work; that it proves a guest takes minutes, and is a matter
//! of `pipelines`.

mod common;

use common::guest;
use trilemma_backends::{Pipeline, system};
use trilemma_core::Options;

const NAME: &str = "halo2-axiom/kzg/bn254";

/// Teaches: what a machine cannot hold is refused before any work.
#[test]
fn sizes_are_limited() {
    let options = Options { max_log_height: Some(12), ..Options::default() };
    let keys = system(&Pipeline(NAME.into()), &options).unwrap().keys(&guest("exit7")).unwrap();
    let error = keys.prepare(&[], 1 << 16).unwrap_err().to_string();
    assert!(error.contains("max_log_height"), "{error}");
}

#[test]
fn names_resolve_and_errors_list_choices() {
    let options = Options::default();
    let fault = |name: &str| system(&Pipeline(name.into()), &options).err().unwrap().to_string();
    for scheme in ["kzg", "kzg-gwc", "ipa"] {
        assert!(trilemma_backends::pipelines().contains(&Pipeline(format!("halo2-axiom/{scheme}/bn254"))));
    }
    assert!(fault("halo2-axiom/kzg/pallas").contains("bn254"));
    assert!(fault("halo2-axiom/fri").contains("kzg-gwc"));
}
