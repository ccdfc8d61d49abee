//! The staged system of a whole execution, and a proof of it.

use crate::relations::Relation;
use std::time::Instant;

use p3_field::{BasedVectorSpace, PrimeCharacteristicRing};
use trilemma_arith::kernel::Challenges;
use trilemma_arith::plonkish::instance;
use trilemma_arith::r1cs::staged::Flattening;
use trilemma_core::runner::Binding;
use trilemma_core::setting::{KoalaBear4, ext_from_fn};
use trilemma_core::{Options, Piop, Setting, UniEval};
use trilemma_pcs::Available;
use trilemma_piop::marlin::{Layout, Marlin};

type S = KoalaBear4;

/// Teaches: the wires of an execution satisfy its system, a verifier's form costs nothing, and the proof of it is
/// accepted from the form. Prints sizes.
#[test]
fn a_whole_execution() {
    let run = Relation::<S>::execution("exit7", &[]);
    let extent = run.extent();
    let Relation { air, terms, trace, .. } = run;

    let start = Instant::now();
    let flattening = Flattening::new(&air, &extent).unwrap();
    let form = flattening.form::<S>();
    println!("form {:?}", start.elapsed());
    let start = Instant::now();
    let system = flattening.system(&air);
    println!("matrices {:?}", start.elapsed());
    let layout = Layout::new(&form);
    let d = <<S as Setting>::Ext as BasedVectorSpace<<S as Setting>::Base>>::DIMENSION;
    let segments = (layout.early_segments + d * layout.late_segments) << layout.log_segment;
    let sums = [d << layout.log_rows, (2 * d) << layout.log_wires(), ((layout.groups + 1) * d) << layout.log_entries];
    println!(
        "{} early, {} late, {} constraints, {} entries; {layout:?}; cells: segments {segments}, rows, wires, entries {sums:?}",
        form.early, form.late, form.constraints, form.nonzeros
    );

    let entries = instance::<S>(&terms);
    let mut witness = flattening.assign(&air, &trace, &terms).unwrap();
    let [gamma, beta] = [3, 5].map(|x| ext_from_fn::<S>(|i| <S as Setting>::Base::from_usize(x + i * x)));
    let late = (witness.late)(&Challenges::new(gamma, beta, form.arity));
    let mut values = system.public_values(&entries, [gamma, beta]);
    values.extend(witness.early.iter().map(|&x| <S as Setting>::Ext::from(x)));
    values.extend(late);
    assert_eq!(values.len(), system.wires());
    assert!(system.broken(&values).is_empty());

    let entry = S::univariate().into_iter().find(|e| e.name == "ideal").unwrap();
    let runner = (entry.setup)(&Options::default(), 24).unwrap();
    let start = Instant::now();
    let (index, prover_index) = runner.index(b"execution", Marlin.index(&system)).unwrap();
    println!("index {:?}", start.elapsed());
    witness = Flattening::new(&air, &extent).unwrap().assign(&air, &trace, &terms).unwrap();
    let binding = Binding { protocol: b"execution", statement: b"" };
    let mut witness = Some(witness);
    let start = Instant::now();
    let proven = runner.prove(binding, (&index, &prover_index), &mut |ch| {
        Marlin.prove(&system, &entries, witness.take().unwrap(), ch)
    });
    let proven = proven.unwrap();
    println!("proof {:?}, of which the scheme {:?}", start.elapsed(), proven.cost);
    let mut verifier = |ch: &mut dyn trilemma_core::OracleVerifier<S, UniEval<<S as Setting>::Ext>>| {
        Marlin.verify(&form, &entries, ch)
    };
    let verified = runner.verify(binding, &index, &proven.proof, &mut verifier);
    println!("{:?}", verified.map(|(ledger, _)| ledger).unwrap());
}
