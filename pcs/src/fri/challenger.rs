//! What p3's challengers lack here: grinding that finds the same nonce every time ([`Steady`]), so that a proof is
//! a function of its witness, where p3's search returns whichever thread's hit comes first; and observing the
//! roots of every kind of tree ([`Roots`]), so that one challenger serves all hashes of trees.

use std::marker::PhantomData;

use p3_challenger::{
    ByteGrindingChallenger, CanObserve, CanSample, CanSampleBits, CanSampleUniformBits, FieldChallenger,
    GrindingChallenger, ResamplingError,
};
use p3_field::Field;
use p3_symmetric::MerkleCap;

/// A byte challenger that grinds for the least nonce.
#[derive(Clone)]
pub struct Steady<C>(pub C);

impl<C: CanObserve<u8>> CanObserve<u8> for Steady<C> {
    fn observe(&mut self, value: u8) {
        self.0.observe(value);
    }

    fn observe_slice(&mut self, values: &[u8]) {
        self.0.observe_slice(values);
    }
}

impl<C: CanSample<u8>> CanSample<u8> for Steady<C> {
    fn sample(&mut self) -> u8 {
        self.0.sample()
    }
}

impl<C: ByteGrindingChallenger> ByteGrindingChallenger for Steady<C> {
    fn find_witness<const W: usize, const S: usize>(
        &self,
        num_candidates: u64,
        encode: impl Fn(u64) -> [u8; W] + Sync,
        accepts: impl Fn([u8; S]) -> bool + Sync,
    ) -> Option<u64> {
        const BLOCK: u64 = 1 << 16;
        let within = |start: u64, n: u64| self.0.find_witness(n, |i| encode(start + i), &accepts);
        let starts = (0..num_candidates).step_by(BLOCK as usize);
        let (start, mut hit) =
            starts.map(|s| (s, within(s, BLOCK.min(num_candidates - s)))).find(|(_, hit)| hit.is_some())?;
        let mut least = None;
        while let Some(i) = hit {
            least = Some(start + i);
            hit = within(start, i);
        }
        least
    }
}

/// A challenger over bytes that observes roots of every kind of tree: of field elements here, of bytes where
/// fields have a name ([`super::tree`]), since for any field at all, bytes might be its elements.
#[derive(Clone)]
pub struct Roots<F, C>(pub(super) C, PhantomData<F>);

impl<F, C> Roots<F, C> {
    /// Of any challenger that observes single elements.
    pub const fn new(inner: C) -> Self {
        Self(inner, PhantomData)
    }
}

impl<F: Field, C: CanObserve<F>> CanObserve<F> for Roots<F, C> {
    fn observe(&mut self, value: F) {
        self.0.observe(value);
    }
}

impl<F: Field, C: CanObserve<F>, const N: usize> CanObserve<MerkleCap<F, [F; N]>> for Roots<F, C> {
    fn observe(&mut self, cap: MerkleCap<F, [F; N]>) {
        cap.roots().iter().flatten().for_each(|&word| self.0.observe(word));
    }
}

impl<F, T, C: CanSample<T>> CanSample<T> for Roots<F, C> {
    fn sample(&mut self) -> T {
        self.0.sample()
    }
}

impl<F, C: CanSampleBits<usize>> CanSampleBits<usize> for Roots<F, C> {
    fn sample_bits(&mut self, bits: usize) -> usize {
        self.0.sample_bits(bits)
    }
}

impl<F, C: CanSampleUniformBits<F>> CanSampleUniformBits<F> for Roots<F, C> {
    fn sample_uniform_bits<const RESAMPLE: bool>(&mut self, bits: usize) -> Result<usize, ResamplingError> {
        self.0.sample_uniform_bits::<RESAMPLE>(bits)
    }
}

impl<F: Field, C: FieldChallenger<F>> FieldChallenger<F> for Roots<F, C> {}

impl<F: Field, C: GrindingChallenger<Witness = F>> GrindingChallenger for Roots<F, C> {
    type Witness = F;

    fn grind(&mut self, bits: usize) -> F {
        self.0.grind(bits)
    }

    fn check_witness(&mut self, bits: usize, witness: F) -> bool {
        self.0.check_witness(bits, witness)
    }
}

#[cfg(test)]
mod tests {
    use p3_blake3::Blake3;
    use p3_challenger::HashChallenger;

    use super::*;

    #[test]
    fn the_least_nonce_is_found() {
        let challenger = HashChallenger::new(b"seed".to_vec(), Blake3);
        let encode = |i: u64| i.to_le_bytes();
        let accepts = |bytes: [u8; 2]| u16::from_le_bytes(bytes).trailing_zeros() >= 10;
        let first = (0..1u64 << 20).find(|&i| {
            let mut copy = challenger.clone();
            copy.observe_slice(&encode(i));
            accepts(copy.sample_array())
        });
        assert_eq!(Steady(challenger.clone()).find_witness(1 << 20, encode, accepts), first);
        assert_eq!(Steady(challenger).find_witness(first.unwrap_or(0), encode, accepts), None);
    }
}
