mod common;
use common::grid;
use common::model::{Legal, Model};
use common::search::{Dropped, Search};
use common::spec::Spec;
use common::{Run, seeds};
use trilemma_core::setting::KoalaBear4;

#[test]
fn scratch() {
    let budget: usize = std::env::var("BUDGET").map_or(50_000, |b| b.parse().unwrap());
    let only = std::env::var("ONLY").ok();
    let run = Run::new(&grid::all(), grid::INPUT);
    let models = Model::all::<KoalaBear4>(&run.machine);
    let legal = Legal::of(&models);
    let spec = Spec::new(&run.program);
    let rows = seeds::rows(&models, &run.trace);
    for (model, rows) in models.iter().zip(rows) {
        if model.signs.contains(&0) || only.as_ref().is_some_and(|o| o != model.shape.name) {
            continue;
        }
        let mut chosen = seeds::choose(model, rows, 8, 200);
        chosen.extend(seeds::extreme(model));
        let start = std::time::Instant::now();
        let mut search = Search::new(model, &legal, &spec, Dropped::Nothing);
        let found = search.run(&chosen, budget);
        println!(
            "{}: {} seeds, {} nodes; nothing: {:?} tried {} accepted {} nobody {} in {:?}",
            model.shape.name, chosen.len(), model.shape.nodes.len(), found, search.tried, search.accepted, search.nobody, start.elapsed()
        );
        let mut items: Vec<(String, Dropped)> = Vec::new();
        for (i, c) in model.shape.constraints.iter().enumerate() {
            items.push((format!("constraint {i} [{}]", c.what), Dropped::Constraint(i)));
        }
        for (i, x) in model.shape.interactions.iter().enumerate().filter(|(_, x)| x.bus.lookup) {
            let t: Vec<String> = x.tuple.iter().map(|&e| model.shape.formula(e)).collect();
            items.push((format!("lookup {i} {}({})", x.bus.name, t.join(", ")), Dropped::Interaction(i)));
        }
        for (name, dropped) in items {
            let start = std::time::Instant::now();
            let mut search = Search::new(model, &legal, &spec, dropped);
            match search.run(&chosen, budget) {
                Some(w) => {
                    if std::env::var("VERBOSE").is_ok() {
                        println!("   {name}: {} ({} tried)", w.why, search.tried);
                    }
                }
                None => println!("   MISSING {name} ({} tried, {} accepted, {:?})", search.tried, search.accepted, start.elapsed()),
            }
        }
    }
}
