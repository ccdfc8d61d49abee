//! The grand product \[GWC19, Section 5\]: what the verifier checks of copies.

use std::ops::Range;

use p3_field::PrimeCharacteristicRing;

/// The constraints of a row: partial product `j + 1` is partial product `j` times the chunk's
/// `identities` over its `sigmas`; behind the last comes the first one of the next row.
pub fn constraints<'a, X: PrimeCharacteristicRing + Copy>(
    chunks: &'a [Range<usize>],
    products: &'a [X],
    first_next: X,
    identities: &'a [X],
    sigmas: &'a [X],
) -> impl Iterator<Item = X> + 'a {
    let after = products.iter().skip(1).copied().chain([first_next]);
    chunks.iter().zip(products.iter().zip(after)).map(move |(chunk, (&before, after))| {
        let times = |start: X, factors: &[X]| factors.iter().fold(start, |product, &f| product * f);
        times(after, &sigmas[chunk.clone()]) - times(before, &identities[chunk.clone()])
    })
}
