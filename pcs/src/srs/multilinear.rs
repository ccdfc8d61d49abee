//! Reference strings for multilinear polynomials \[PST13\]: the Lagrange basis of the hypercube at a
//! secret point `t` in the exponent.
//!
//! `[eq(t, x)]_1` for every `x` in `{0, 1}^N`, and `[1]_2, [t_0]_2, ..., [t_(N-1)]_2`. Polynomials of
//! `k < N` variables are committed at the last `k` coordinates of `t`; as `eq` sums to 1 over a bit, that
//! basis is the sum of the two halves of the one for `k + 1`.
//!
//! File: as a string of powers, beginning with `TRILMLS1`, with N for log2 of the length; then
//! `[eq(t, x)]_1` in order of `x`, `[1]_2` and the `[t_i]_2`. A loaded string is checked: points on the
//! curve and in the subgroup, generators in place, no coordinate 0 or 1 and no two equal, and for every
//! `k` the upper half of the basis for `k + 1` equal to the basis for `k` times its coordinate, by one
//! pairing check of a random combination.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use ark_ec::pairing::Pairing;
use ark_ec::short_weierstrass::Projective;
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::Zero;
use p3_field::PrimeCharacteristicRing;
use rayon::prelude::*;
use trilemma_core::multilinear::eq_table;
use trilemma_core::setting::{Bls12, Bn254};
use trilemma_core::{ConfigError, Options, Setting, Setup};

use super::{
    DEFAULT_SEED, G1, G2, MAX_LOG_SIZE, PairingSetting, coefficients, error, header, put_point, read, secret, shared,
    take_header, take_points, write,
};
use crate::msm::{FixedBase, msm};

const MAGIC: &[u8] = b"TRILMLS1";

/// A reference string for multilinear polynomials.
pub struct MultilinearSrs<S: PairingSetting> {
    /// By number of variables.
    bases: Vec<OnceLock<Vec<G1<S>>>>,
    g2: G2<S>,
    coordinates: Vec<G2<S>>,
    origin: Setup,
    trapdoor: Option<Vec<S::Base>>,
}

impl<S: PairingSetting> MultilinearSrs<S> {
    /// A string for `variables` variables whose trapdoor anybody can compute from the seed. The last
    /// coordinates do not depend on their number. Bases are made on first use.
    pub fn insecure(variables: usize, seed: u64) -> Result<Self, ConfigError> {
        if variables > MAX_LOG_SIZE {
            return Err(error(format!("2^{variables} points are too many")));
        }
        let trapdoor: Vec<S::Base> = (0..variables).rev().map(|i| insecure_coordinate::<S>(seed, i)).collect();
        let g2 = G2::<S>::generator();
        let coordinates = trapdoor.iter().map(|&t| (g2 * S::scalar(t)).into()).collect();
        let origin = Setup::Insecure(format!("drawn on this machine from seed {seed}"));
        Ok(Self { bases: empty(variables), g2, coordinates, origin, trapdoor: Some(trapdoor) })
    }

    /// The string that `options` name, for polynomials of up to `variables` variables.
    pub fn for_options(options: &Options, variables: usize) -> Result<Arc<Self>, ConfigError> {
        let Some(path) = &options.srs else {
            let fits = |srs: &Self| srs.variables() >= variables;
            return shared(DEFAULT_SEED, fits, || Self::insecure(variables, DEFAULT_SEED));
        };
        let srs = read(path, Self::decode)?;
        if srs.variables() < variables {
            let have = srs.variables();
            return Err(error(format!("the file is for {have} variables, {variables} are needed")));
        }
        Ok(Arc::new(srs))
    }

    /// The most variables of a polynomial.
    pub fn variables(&self) -> usize {
        self.coordinates.len()
    }

    /// Commitments to the Lagrange basis for polynomials of that many variables, at most
    /// [`Self::variables`].
    pub fn basis(&self, variables: usize) -> &[G1<S>] {
        self.bases[variables].get_or_init(|| {
            let above = self.bases.get(variables + 1);
            match (&self.trapdoor, above.and_then(OnceLock::get)) {
                (_, Some(above)) => add_halves::<S>(above),
                (Some(t), None) => {
                    let table = eq_table(&t[t.len() - variables..], S::Base::ONE);
                    FixedBase::new(G1::<S>::generator()).multiples(S::scalars(&table))
                }
                // A loaded string has its longest basis.
                (None, None) => add_halves::<S>(self.basis(variables + 1)),
            }
        })
    }

    /// `[1]_2`.
    pub fn g2(&self) -> G2<S> {
        self.g2
    }

    /// `[t_i]_2` for the coordinates of polynomials of that many variables, first coordinate first.
    pub fn coordinates(&self, variables: usize) -> &[G2<S>] {
        &self.coordinates[self.variables() - variables..]
    }

    /// Where the string comes from.
    pub fn origin(&self) -> &Setup {
        &self.origin
    }

    /// The bytes of a file.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = header::<S>(MAGIC, &self.origin, self.variables());
        self.basis(self.variables()).iter().for_each(|point| put_point(&mut out, point));
        put_point(&mut out, &self.g2);
        self.coordinates.iter().for_each(|point| put_point(&mut out, point));
        out
    }

    /// Reads and checks the bytes of a file.
    pub fn decode(bytes: &[u8]) -> Result<Self, ConfigError> {
        let mut rest = bytes;
        let (origin, variables) = take_header::<S>(&mut rest, MAGIC)?;
        if variables > MAX_LOG_SIZE {
            return Err(error("too many variables"));
        }
        let mut bases = empty(variables);
        bases[variables] = OnceLock::from(take_points::<G1<S>>(&mut rest, 1 << variables)?);
        let g2 = take_points::<G2<S>>(&mut rest, 1)?[0];
        let coordinates = take_points::<G2<S>>(&mut rest, variables)?;
        if !rest.is_empty() {
            return Err(error("bytes after the end"));
        }
        let srs = Self { bases, g2, coordinates, origin, trapdoor: None };
        srs.check(blake3::hash(bytes).as_bytes())?;
        Ok(srs)
    }

    /// Checks that the points are the Lagrange basis at one point, with coefficients drawn from `seed`.
    fn check(&self, seed: &[u8; 32]) -> Result<(), ConfigError> {
        if self.basis(0) != [G1::<S>::generator()] || self.g2 != G2::<S>::generator() {
            return Err(error("the points do not begin with the generators"));
        }
        for (i, t) in self.coordinates.iter().enumerate() {
            if t.is_zero() || *t == self.g2 || self.coordinates[..i].contains(t) {
                return Err(error("a coordinate of the trapdoor is 0, 1 or repeated"));
            }
        }
        let coefficients = coefficients::<S>(seed, self.basis(self.variables()).len());
        let (mut upper, mut pairs) = (Projective::zero(), Vec::new());
        for (k, &t) in self.coordinates.iter().rev().enumerate() {
            let coefficients = &coefficients[1 << k..];
            upper += msm(&self.basis(k + 1)[1 << k..], coefficients);
            pairs.push((-msm(self.basis(k), coefficients), t));
        }
        pairs.push((upper, self.g2));
        let (left, right): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
        if !S::Engine::multi_pairing(left, right).is_zero() {
            return Err(error("the points are not the Lagrange basis at one point"));
        }
        Ok(())
    }
}

/// Writes an insecure string for the curve of that name.
pub fn save_insecure(curve: &str, variables: usize, seed: u64, path: &Path) -> Result<(), ConfigError> {
    let bytes = match curve {
        Bls12::NAME => MultilinearSrs::<Bls12>::insecure(variables, seed)?.encode(),
        Bn254::NAME => MultilinearSrs::<Bn254>::insecure(variables, seed)?.encode(),
        _ => return Err(ConfigError::choice("srs curve", curve, [Bls12::NAME, Bn254::NAME])),
    };
    write(path, &bytes)
}

fn empty<T>(variables: usize) -> Vec<OnceLock<T>> {
    (0..=variables).map(|_| OnceLock::new()).collect()
}

/// The coordinate that `i` others follow.
fn insecure_coordinate<S: PairingSetting>(seed: u64, i: usize) -> S::Base {
    let mut stream = blake3::Hasher::new_derive_key("trilemma insecure multilinear srs v1");
    let stream = stream.update(S::NAME.as_bytes()).update(&seed.to_le_bytes()).update(&(i as u64).to_le_bytes());
    secret::<S>(stream.finalize_xof())
}

/// The sum of the two halves, entry by entry.
fn add_halves<S: PairingSetting>(points: &[G1<S>]) -> Vec<G1<S>> {
    const CHUNK: usize = 1 << 10;
    let (low, high) = points.split_at(points.len() / 2);
    low.par_chunks(CHUNK)
        .zip(high.par_chunks(CHUNK))
        .flat_map_iter(|(low, high)| {
            let sums: Vec<Projective<S::G1>> = low.iter().zip(high).map(|(&a, &b)| a + b).collect();
            Projective::normalize_batch(&sums)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<S: PairingSetting>() {
        let srs = MultilinearSrs::<S>::insecure(4, 7).unwrap();
        let bytes = srs.encode();
        let loaded = MultilinearSrs::<S>::decode(&bytes).unwrap();
        assert_eq!(bytes, loaded.encode());
        assert_eq!(loaded.origin, srs.origin);
        assert_ne!(bytes, MultilinearSrs::<S>::insecure(4, 8).unwrap().encode());
        for k in 0..=4 {
            // Made from the trapdoor, by halving, and from a file.
            let fresh = MultilinearSrs::<S>::insecure(k, 7).unwrap();
            let high = MultilinearSrs::<S>::insecure(6, 7).unwrap();
            assert_eq!(fresh.basis(k), loaded.basis(k));
            assert_eq!(fresh.basis(k), srs.basis(k));
            assert_eq!(fresh.basis(k), high.basis(k));
            assert_eq!(fresh.coordinates(k), high.coordinates(k));
        }
        for n in 0..bytes.len() {
            assert!(MultilinearSrs::<S>::decode(&bytes[..n]).is_err());
        }
        assert!(MultilinearSrs::<S>::decode(&[bytes.as_slice(), &[0]].concat()).is_err());
    }

    fn refuses_wrong_points<S: PairingSetting>() {
        let edited = |edit: &dyn Fn(&mut Vec<G1<S>>, &mut Vec<G2<S>>)| {
            let mut srs = MultilinearSrs::<S>::insecure(3, 7).unwrap();
            let mut basis = srs.basis(3).to_vec();
            edit(&mut basis, &mut srs.coordinates);
            srs.bases = empty(3);
            srs.bases[3] = OnceLock::from(basis);
            MultilinearSrs::<S>::decode(&srs.encode()).is_ok()
        };
        assert!(edited(&|_, _| ()));
        for (i, j) in [(0, 1), (0, 7), (3, 4), (6, 7)] {
            assert!(!edited(&|basis, _| basis.swap(i, j)), "{i} {j}");
        }
        assert!(!edited(&|_, t| t.swap(0, 2)));
        assert!(!edited(&|basis, _| basis.iter_mut().for_each(|p| *p = (*p + *p).into())));
        // Consistent, but with a coordinate that opens everything.
        for t in [S::Base::ZERO, S::Base::ONE, S::Base::TWO] {
            let trapdoor = [S::Base::TWO, t, S::Base::from_u8(9)];
            let table = eq_table(&trapdoor, S::Base::ONE);
            let fixed = FixedBase::<S::G1>::new(G1::<S>::generator());
            assert!(!edited(&|basis, coordinates| {
                *basis = fixed.multiples(S::scalars(&table));
                *coordinates = trapdoor.iter().map(|&t| (G2::<S>::generator() * S::scalar(t)).into()).collect();
            }));
        }
    }

    #[test]
    fn files() {
        check::<Bls12>();
        check::<Bn254>();
        refuses_wrong_points::<Bls12>();
        refuses_wrong_points::<Bn254>();
        let bls = MultilinearSrs::<Bls12>::insecure(1, 0).unwrap().encode();
        assert!(MultilinearSrs::<Bn254>::decode(&bls).is_err());
        assert!(super::super::Srs::<Bls12>::decode(&bls).is_err());
    }
}
