//! The index: three matrices as columns over their entries.

use p3_field::{PrimeCharacteristicRing, TwoAdicField};
use trilemma_arith::r1cs::staged::Staged;
use trilemma_core::{Columns, Smooth};

use super::layout::{INDEX_WIDTH, Layout};

/// Entries of the three matrices in order: row, position of the wire on `H`, coefficients. First come the rows of the
/// public wires, `0 * 0 + p = wire`, then those of the system.
pub fn entries<'a, S: Smooth>(
    relation: &'a Staged<S>,
    layout: &'a Layout,
) -> impl Iterator<Item = (usize, usize, [S::Base; 3])> + 'a {
    let public = layout.public();
    let statement = (0..public).map(|i| (i, layout.position(i), [S::Base::ZERO, S::Base::ZERO, S::Base::ONE]));
    let rows = (0..relation.matrices.rows()).flat_map(move |row| {
        let entries = relation.matrices.row(row);
        entries.map(move |(wire, values)| (public + row, layout.position(wire), *values))
    });
    statement.chain(rows)
}

/// Columns `row`, `col`, `rowcol`, `A`, `B`, `C` of every group; entry `k` belongs to group `k` modulo the groups.
/// Padding has the element 1 and no coefficients.
pub fn index<S: Smooth>(relation: &Staged<S>, layout: &Layout) -> Columns<S::Base> {
    let powers = |log: usize| -> Vec<S::Base> { S::Base::two_adic_generator(log).powers().take(1 << log).collect() };
    let (rows, columns) = (powers(layout.log_rows), powers(layout.log_wires()));
    let scale = S::Base::ONE.div_2exp_u64((layout.log_rows + layout.log_wires()) as u64);
    let mut cells = S::Base::zero_vec((INDEX_WIDTH * layout.groups) << layout.log_entries);
    let (chunks, _) = cells.as_chunks_mut::<INDEX_WIDTH>();
    assert!(relation.matrices.nonzeros() <= chunks.len(), "an entry is left out");
    for cells in chunks.iter_mut() {
        cells[..3].fill(S::Base::ONE);
    }
    for (cells, (row, column, values)) in chunks.iter_mut().zip(entries(relation, layout)) {
        let (x, y) = (rows[row], columns[column]);
        let both = x * y;
        let [a, b, c] = values.map(|value| value * both * scale);
        *cells = [x, y, both, a, b, c];
    }
    Columns::new(cells, INDEX_WIDTH * layout.groups)
}
