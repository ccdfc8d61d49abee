//! A relation of rows too wide for a narrow circuit: lookups in two tables, conditional ones, buses
//! with products.

use trilemma_arith::air::{Instance, PublicTerm, Trace};
use trilemma_arith::kernel::Compiled;
use trilemma_arith::{Air, Builder, Bus, Gadgets, Table};
use trilemma_core::Setting;

/// Numbers below 8.
const SMALL: Bus = Bus { id: 70, name: "small", arity: 1, lookup: true };
/// `(x, 3 x)` for `x` below 4.
const TRIPLE: Bus = Bus { id: 71, name: "triple", arity: 2, lookup: true };
/// `(x, result)`.
const OUT: Bus = Bus { id: 72, name: "out", arity: 2, lookup: false };
/// `(result, x y)`, of rows that say so.
const MORE: Bus = Bus { id: 73, name: "more", arity: 2, lookup: false };
/// `(z)`, sent and received by the same row.
const LOOP: Bus = Bus { id: 74, name: "loop", arity: 1, lookup: false };

struct Wide;

impl Table for Wide {
    type Row = ();

    fn name(&self) -> &'static str {
        "wide"
    }

    fn eval<B: Builder<()>>(&self, b: &mut B) {
        let real = b.rows();
        let [x, y, u, v] = ["x", "y", "u", "v"].map(|name| {
            let x = b.free(name, "looked up", |()| 0);
            b.send(SMALL, &[x]);
            x
        });
        let more = b.bit("more", |()| false);
        b.only_real("more", more);
        let (z, w) = (b.free("z", "determined", |()| 0), b.free("w", "determined", |()| 0));
        b.zero("z", z - x * y * u * v - real);
        b.zero("w", w - more * (x + y) - z);
        b.interact(TRIPLE, more, &[u, v]);
        b.interact(SMALL, more, &[x + y]);
        b.send(OUT, &[x, z]);
        b.interact(MORE, more, &[w, x * y]);
        let one = b.int(1);
        b.send(LOOP, &[z + one]);
        b.recv(LOOP, &[z + one]);
        b.interact(OUT, more * u, &[v, w]);
    }
}

/// Narrow rows with columns of the same names.
struct Narrow;

impl Table for Narrow {
    type Row = ();

    fn name(&self) -> &'static str {
        "narrow"
    }

    fn eval<B: Builder<()>>(&self, b: &mut B) {
        b.rows();
        let x = b.free("x", "looked up", |()| 0);
        b.send(SMALL, &[x]);
        let z = b.free("z", "determined", |()| 0);
        b.zero("z", z - x * x * x * x);
        b.send(OUT, &[x, z]);
    }
}

struct Fixed;

impl Table for Fixed {
    type Row = [u32; 2];

    fn name(&self) -> &'static str {
        "fixed"
    }

    fn fixed(&self) -> Vec<Vec<u32>> {
        vec![(0..8).collect(), vec![0, 1, 2, 3, 0, 0, 0, 0]]
    }

    fn eval<B: Builder<[u32; 2]>>(&self, b: &mut B) {
        let (x, y) = (b.fixed("x"), b.fixed("y"));
        let times = b.free("times", "counts lookups", |times| times[0]);
        b.interact(SMALL, -times, &[x]);
        let times = b.free("times 3", "counts lookups", |times| times[1]);
        let three = b.int(3);
        b.interact(TRIPLE, -times, &[y, three * y]);
    }
}

/// Rows of both tables, and the statement that receives what they send. Lookups are not counted.
pub fn wide<S: Setting>() -> (Air<S>, Vec<PublicTerm>, Trace) {
    let air = Air {
        tables: vec![Box::new(Compiled::new(Wide)), Box::new(Compiled::new(Narrow)), Box::new(Compiled::new(Fixed))],
        max_instances: 2,
        max_rows: 1 << 10,
    };
    let (mut wide, mut terms) = (Vec::new(), Vec::new());
    let mut post = |bus, m: u32, tuple: [u32; 2]| {
        terms.push(PublicTerm { bus, multiplicity: -i64::from(m), tuple: tuple.to_vec() });
    };
    for [x, y, u, v, more] in [[3, 4, 2, 6, 1], [5, 7, 1, 3, 0], [0, 6, 1, 3, 1], [2, 2, 7, 5, 0], [1, 3, 3, 9 - 2, 0]]
    {
        let z = x * y * u * v + 1;
        let w = more * (x + y) + z;
        wide.extend([1, x, y, u, v, more, z, w]);
        post(OUT, 1, [x, z]);
        post(OUT, more * u, [v, w]);
        post(MORE, more, [w, x * y]);
    }
    let mut narrow = Vec::new();
    for x in [7u32, 0, 5] {
        narrow.extend([1, x, x * x * x * x]);
        post(OUT, 1, [x, x * x * x * x]);
    }
    terms.retain(|t| t.multiplicity != 0);
    let instance = |table, log_height, cells| Instance { table, log_height, cells };
    let instances = vec![
        instance(0, 2, wide.drain(..32).collect()),
        instance(0, 2, wide),
        instance(1, 2, narrow),
        instance(2, 3, vec![0; 16]),
    ];
    (air, terms, Trace { instances })
}
