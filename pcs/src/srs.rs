//! Structured reference strings: powers of a secret point `tau` in the exponent.
//!
//! `[1]_1, [tau]_1, ..., [tau^(N-1)]_1` and `[1]_2, [tau]_2`, where `[x]_i = x * G_i`. Whoever knows
//! `tau` can open a commitment to any value, so it must come from a ceremony. One that is drawn here
//! is marked insecure, and is a function of its seed so that proofs reproduce.
//!
//! Hiding needs one more point in each group, `[xi]_1` and `[xi]_2`, for a secret `xi` that has nothing to do
//! with `tau`: whoever knows both, or one in terms of the other, can open to any value, but not see what is
//! hidden. A ceremony draws `xi` apart; nothing here can check that it did.
//!
//! File: `TRILSRS1`, or `TRILSRS2` if it ends in the points of `xi`; curve name, origin (0 ceremony, 1 insecure) and provenance, log2 of N as a byte,
//! then the points, uncompressed. Texts are preceded by their length in two bytes. A loaded string is
//! checked: points on the curve and in the subgroup, generators in place, `tau` neither 0 nor 1, and
//! each power the previous one times `tau`, by one pairing check of a random combination.
//!
//! Strings for multilinear polynomials are of a second kind: [`multilinear`].

pub mod multilinear;

use std::any::{Any, TypeId};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError};

use ark_ec::pairing::Pairing;
use ark_ec::short_weierstrass::Projective;
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::PrimeField;
use ark_serialize::{CanonicalSerialize, Compress, Validate};
use p3_field::{Field, PrimeCharacteristicRing, TwoAdicField};
use rayon::prelude::*;
use trilemma_core::setting::{self, Bls12, Bn254};
use trilemma_core::{ConfigError, Options, Setting, Setup, Smooth};

use crate::group::{G1, GroupSetting, Scalar};
use crate::msm::{FixedBase, msm};

/// A setting whose field is the scalar field of a pairing-friendly curve.
pub trait PairingSetting: Smooth + GroupSetting {
    /// The pairing.
    type Engine: Pairing<G1Affine = G1<Self>, G1 = Projective<Self::G1>, ScalarField = Scalar<Self>>;
}

/// A point of the second group.
pub type G2<S> = <<S as PairingSetting>::Engine as Pairing>::G2Affine;

impl PairingSetting for Bls12 {
    type Engine = ark_bls12_381::Bls12_381;
}
impl PairingSetting for Bn254 {
    type Engine = ark_bn254::Bn254;
}

const MAGIC: &[u8] = b"TRILSRS1";
const HIDING_MAGIC: &[u8] = b"TRILSRS2";
/// Largest log2 of a string's length.
pub const MAX_LOG_SIZE: usize = 28;
/// Seed of the string that [`Srs::for_options`] makes when no file is named.
pub const DEFAULT_SEED: u64 = 0;

/// A structured reference string.
pub struct Srs<S: PairingSetting> {
    log_size: usize,
    /// The first `2^i` powers, where they were asked for or loaded.
    powers: Vec<OnceLock<Vec<G1<S>>>>,
    g2: [G2<S>; 2],
    hiding: Option<(G1<S>, G2<S>)>,
    origin: Setup,
    trapdoor: Option<S::Base>,
    lagrange: Vec<OnceLock<Vec<G1<S>>>>,
}

fn error(text: impl std::fmt::Display) -> ConfigError {
    ConfigError(format!("srs: {text}"))
}

impl<S: PairingSetting> Srs<S> {
    fn new(
        log_size: usize,
        powers: Option<Vec<G1<S>>>,
        (g2, hiding): ([G2<S>; 2], Option<(G1<S>, G2<S>)>),
        origin: Setup,
        trapdoor: Option<S::Base>,
    ) -> Self {
        let empty = || -> Vec<_> { (0..=log_size).map(|_| OnceLock::new()).collect() };
        let mut slots = empty();
        slots[log_size] = powers.map_or_else(OnceLock::new, OnceLock::from);
        Self { log_size, powers: slots, g2, hiding, origin, trapdoor, lagrange: empty() }
    }

    /// A string of `2^log_size` powers whose trapdoor anybody can compute from the seed. Its powers
    /// are made on first use: verifying needs none.
    pub fn insecure(log_size: usize, seed: u64) -> Result<Self, ConfigError> {
        if log_size > MAX_LOG_SIZE.min(S::Base::TWO_ADICITY) {
            return Err(error(format!("2^{log_size} powers are too many")));
        }
        let [tau, xi] = ["trilemma insecure srs v1", "trilemma insecure srs hiding v1"]
            .map(|context| insecure_trapdoor::<S>(context, seed));
        let hiding = ((G1::<S>::generator() * S::scalar(xi)).into(), (G2::<S>::generator() * S::scalar(xi)).into());
        let g2 = [G2::<S>::generator(), (G2::<S>::generator() * S::scalar(tau)).into()];
        let origin = Setup::Insecure(format!("drawn on this machine from seed {seed}"));
        Ok(Self::new(log_size, None, (g2, Some(hiding)), origin, Some(tau)))
    }

    /// The string that `options` name, for polynomials of up to `2^log_size` coefficients.
    pub fn for_options(options: &Options, log_size: usize) -> Result<Arc<Self>, ConfigError> {
        let Some(path) = &options.srs else {
            return Self::shared_insecure(log_size, DEFAULT_SEED);
        };
        let srs = Self::load(path)?;
        if srs.log_size() < log_size {
            let have = srs.log_size();
            return Err(error(format!("the file has 2^{have} powers, 2^{log_size} are needed")));
        }
        Ok(Arc::new(srs))
    }

    /// An insecure string, made once per process; a longer one serves for a shorter one.
    fn shared_insecure(log_size: usize, seed: u64) -> Result<Arc<Self>, ConfigError> {
        shared(seed, |srs: &Self| srs.log_size() >= log_size, || Self::insecure(log_size, seed))
    }

    /// log2 of the number of powers.
    pub fn log_size(&self) -> usize {
        self.log_size
    }

    /// `[tau^i]_1` for every `i`.
    pub fn powers(&self) -> &[G1<S>] {
        self.first_powers(self.log_size)
    }

    /// The first `2^log_size` powers, or all if there are fewer; the only ones made if none were yet.
    pub fn first_powers(&self, log_size: usize) -> &[G1<S>] {
        let log_size = log_size.min(self.log_size);
        let slots = &self.powers[log_size..];
        let powers = slots.iter().find_map(OnceLock::get).unwrap_or_else(|| {
            slots[0].get_or_init(|| {
                let tau = self.trapdoor.unwrap_or_default();
                let powers: Vec<S::Base> = tau.powers().take(1 << log_size).collect();
                FixedBase::new(G1::<S>::generator()).multiples(S::scalars(&powers))
            })
        });
        &powers[..1 << log_size]
    }

    /// `[1]_2` and `[tau]_2`.
    pub fn g2(&self) -> &[G2<S>; 2] {
        &self.g2
    }

    /// `[xi]_1` and `[xi]_2`, if the string has them.
    pub fn hiding(&self) -> Option<&(G1<S>, G2<S>)> {
        self.hiding.as_ref()
    }

    /// Where the string comes from.
    pub fn origin(&self) -> &Setup {
        &self.origin
    }

    /// Commitments to the Lagrange polynomials of the subgroup of order `2^log_height`, so that
    /// values commit without interpolation and small values stay small. Made on first use: with the
    /// trapdoor where it is known, else by a transform in the group, which is slow.
    pub fn lagrange(&self, log_height: usize) -> Option<&[G1<S>]> {
        let slot = self.lagrange.get(log_height)?;
        Some(slot.get_or_init(|| match self.trapdoor {
            Some(tau) => FixedBase::new(G1::<S>::generator()).multiples(S::scalars(&lagrange_at::<S>(log_height, tau))),
            None => group_inverse_dft::<S>(&self.powers()[..1 << log_height]),
        }))
    }

    /// Writes the string to a file.
    pub fn save(&self, path: &Path) -> Result<(), ConfigError> {
        write(path, &self.encode())
    }

    /// Reads and checks a file.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        read(path, Self::decode)
    }

    /// The bytes of a file.
    pub fn encode(&self) -> Vec<u8> {
        let magic = if self.hiding.is_some() { HIDING_MAGIC } else { MAGIC };
        let mut out = header::<S>(magic, &self.origin, self.log_size());
        for point in self.powers() {
            put_point(&mut out, point);
        }
        self.g2.iter().for_each(|point| put_point(&mut out, point));
        if let Some((xi, xi_h)) = &self.hiding {
            put_point(&mut out, xi);
            put_point(&mut out, xi_h);
        }
        out
    }

    /// Reads and checks the bytes of a file.
    pub fn decode(bytes: &[u8]) -> Result<Self, ConfigError> {
        let mut rest = bytes;
        let hides = bytes.starts_with(HIDING_MAGIC);
        let (origin, log_size) = take_header::<S>(&mut rest, if hides { HIDING_MAGIC } else { MAGIC })?;
        if log_size > MAX_LOG_SIZE.min(S::Base::TWO_ADICITY) {
            return Err(error("too many powers"));
        }
        let powers = take_points::<G1<S>>(&mut rest, 1 << log_size)?;
        let g2 = take_points::<G2<S>>(&mut rest, 2)?;
        let g2 = [g2[0], g2[1]];
        let hiding = match hides {
            true => Some((take_points::<G1<S>>(&mut rest, 1)?[0], take_points::<G2<S>>(&mut rest, 1)?[0])),
            false => None,
        };
        if !rest.is_empty() {
            return Err(error("bytes after the end"));
        }
        let srs = Self::new(log_size, Some(powers), (g2, hiding), origin, None);
        srs.check(blake3::hash(bytes).as_bytes())?;
        Ok(srs)
    }

    /// Checks that the points are the powers of one `tau`, with coefficients drawn from `seed`.
    fn check(&self, seed: &[u8; 32]) -> Result<(), ConfigError> {
        let [h, tau_h] = self.g2;
        if self.powers().first() != Some(&G1::<S>::generator()) || h != G2::<S>::generator() {
            return Err(error("the first points are not the generators"));
        }
        if tau_h == h || tau_h.is_zero() {
            return Err(error("the trapdoor is 0 or 1"));
        }
        if self.powers()[1..].contains(&G1::<S>::generator()) {
            return Err(error("a power of the trapdoor is 1"));
        }
        let coefficients = coefficients::<S>(seed, self.powers().len() - 1);
        let low = msm(self.powers(), &coefficients);
        let high = msm(&self.powers()[1..], &coefficients);
        if S::Engine::pairing(high, h) != S::Engine::pairing(low, tau_h) {
            return Err(error("the points are not the powers of one number"));
        }
        let Some((xi, xi_h)) = &self.hiding else { return Ok(()) };
        if xi.is_zero() || S::Engine::pairing(*xi, h) != S::Engine::pairing(self.powers()[0], *xi_h) {
            return Err(error("the points for hiding are not of one number"));
        }
        // Blinding with a power that commits opens anything.
        if self.powers().contains(xi) {
            return Err(error("the number for hiding is a power of the trapdoor"));
        }
        Ok(())
    }
}

/// Writes an insecure string for the curve of that name.
pub fn save_insecure(curve: &str, log_size: usize, seed: u64, path: &Path) -> Result<(), ConfigError> {
    match curve {
        Bls12::NAME => Srs::<Bls12>::insecure(log_size, seed)?.save(path),
        Bn254::NAME => Srs::<Bn254>::insecure(log_size, seed)?.save(path),
        _ => Err(ConfigError::choice("srs curve", curve, [Bls12::NAME, Bn254::NAME])),
    }
}

/// A string of this type and seed that fits, made once per process.
fn shared<T: Any + Send + Sync>(
    seed: u64,
    fits: impl Fn(&T) -> bool,
    make: impl FnOnce() -> Result<T, ConfigError>,
) -> Result<Arc<T>, ConfigError> {
    type Made = BTreeMap<(TypeId, u64), Arc<dyn Any + Send + Sync>>;
    static MADE: LazyLock<Mutex<Made>> = LazyLock::new(Mutex::default);
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    let key = (TypeId::of::<T>(), seed);
    let found = made.get(&key).cloned().and_then(|any| any.downcast::<T>().ok());
    if let Some(srs) = found.filter(|srs| fits(srs)) {
        return Ok(srs);
    }
    let srs = Arc::new(make()?);
    made.insert(key, srs.clone());
    Ok(srs)
}

/// Coefficients of 128 bits, drawn from a hash of what they are to check.
fn coefficients<S: PairingSetting>(seed: &[u8; 32], n: usize) -> Vec<Scalar<S>> {
    let mut stream = blake3::Hasher::new_derive_key("trilemma srs check v1");
    let mut stream = stream.update(seed).finalize_xof();
    let mut bytes = vec![[0; 16]; n];
    bytes.iter_mut().for_each(|c| stream.fill(c));
    bytes.iter().map(|c| Scalar::<S>::from_le_bytes_mod_order(c)).collect()
}

/// The number that a seed gives in a context, outside every power-of-two subgroup.
fn insecure_trapdoor<S: PairingSetting>(context: &str, seed: u64) -> S::Base {
    let mut stream = blake3::Hasher::new_derive_key(context);
    secret::<S>(stream.update(S::NAME.as_bytes()).update(&seed.to_le_bytes()).finalize_xof())
}

/// A number outside every power-of-two subgroup.
fn secret<S: PairingSetting>(mut stream: blake3::OutputReader) -> S::Base {
    loop {
        let mut bytes = vec![0; S::BYTES];
        stream.fill(&mut bytes);
        setting::mask_to_bits::<S>(&mut bytes);
        let tau = S::decode(&bytes).unwrap_or(S::Base::ZERO);
        if !tau.is_zero() && !tau.exp_power_of_2(S::Base::TWO_ADICITY).is_one() {
            return tau;
        }
    }
}

/// Every Lagrange polynomial of the subgroup of order `2^log_height` at `x`, which lies outside it.
pub(crate) fn lagrange_at<S: Smooth>(log_height: usize, x: S::Ext) -> Vec<S::Ext> {
    let generator = S::Base::two_adic_generator(log_height);
    let points: Vec<S::Base> = generator.powers().collect_n(1 << log_height);
    let scale = (x.exp_power_of_2(log_height) - S::Ext::ONE).div_2exp_u64(log_height as u64);
    let differences: Vec<S::Ext> = points.par_iter().map(|&point| x - point).collect();
    let mut values = p3_field::batch_multiplicative_inverse(&differences);
    values.par_iter_mut().zip(points).for_each(|(value, point)| *value *= scale * point);
    values
}

/// `(1/n) * sum_j w^(-ij) * points[j]` for every `i`, where `w` generates the subgroup of order `n`.
fn group_inverse_dft<S: PairingSetting>(points: &[G1<S>]) -> Vec<G1<S>> {
    let log_n = points.len().trailing_zeros() as usize;
    let scale = S::scalar(S::Base::ONE.div_2exp_u64(log_n as u64));
    let reversed = |i: usize| i.reverse_bits().checked_shr(usize::BITS - log_n as u32).unwrap_or(0);
    let mut values: Vec<Projective<S::G1>> =
        (0..points.len()).into_par_iter().map(|i| points[reversed(i)] * scale).collect();
    for layer in 1..=log_n {
        let half = 1 << (layer - 1);
        let root = S::Base::two_adic_generator(layer).inverse();
        let twiddles: Vec<S::Base> = root.powers().collect_n(half);
        values.par_chunks_mut(2 * half).for_each(|block| {
            let (low, high) = block.split_at_mut(half);
            low.par_iter_mut().zip(high).zip(S::scalars(&twiddles)).with_min_len(16).for_each(
                |((low, high), twiddle)| {
                    let product = *high * twiddle;
                    (*low, *high) = (*low + product, *low - product);
                },
            );
        });
    }
    Projective::<S::G1>::normalize_batch(&values)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), ConfigError> {
    std::fs::write(path, bytes).map_err(|e| error(format!("{}: {e}", path.display())))
}

fn read<T>(path: &Path, decode: impl Fn(&[u8]) -> Result<T, ConfigError>) -> Result<T, ConfigError> {
    let named = |e: &dyn std::fmt::Display| error(format!("{}: {e}", path.display()));
    let bytes = std::fs::read(path).map_err(|e| named(&e))?;
    decode(&bytes).map_err(|e| named(&e.0))
}

/// What precedes the points of a file.
fn header<S: PairingSetting>(magic: &[u8], origin: &Setup, log_size: usize) -> Vec<u8> {
    let (flag, provenance) = match origin {
        Setup::Insecure(text) => (1, text.as_str()),
        Setup::Trusted(text) => (0, text.as_str()),
        Setup::Transparent => (0, ""),
    };
    let mut out = magic.to_vec();
    put_text(&mut out, S::NAME);
    out.push(flag);
    put_text(&mut out, provenance);
    out.push(log_size as u8);
    out
}

/// Reads a [`header`].
fn take_header<S: PairingSetting>(rest: &mut &[u8], magic: &[u8]) -> Result<(Setup, usize), ConfigError> {
    let digest = blake3::hash(rest);
    if take(rest, magic.len())? != magic {
        return Err(error("not a reference string of this kind"));
    }
    let curve = take_text(rest)?;
    if curve != S::NAME {
        return Err(error(format!("made for `{curve}`, not for `{}`", S::NAME)));
    }
    let flag = take(rest, 1)?[0];
    let provenance = take_text(rest)?;
    let origin = match flag {
        0 => Setup::Trusted(format!("{provenance}, file {digest}")),
        1 => Setup::Insecure(provenance),
        _ => return Err(error("unknown origin")),
    };
    Ok((origin, usize::from(take(rest, 1)?[0])))
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    let text = &text.as_bytes()[..text.len().min(usize::from(u16::MAX))];
    out.extend_from_slice(&(text.len() as u16).to_le_bytes());
    out.extend_from_slice(text);
}

fn put_point(out: &mut Vec<u8>, point: &impl CanonicalSerialize) {
    // Writing to a vector does not fail.
    let _ = point.serialize_uncompressed(out);
}

fn take<'a>(rest: &mut &'a [u8], n: usize) -> Result<&'a [u8], ConfigError> {
    let (head, tail) = rest.split_at_checked(n).ok_or_else(|| error("the file is cut short"))?;
    *rest = tail;
    Ok(head)
}

fn take_text(rest: &mut &[u8]) -> Result<String, ConfigError> {
    let mut n = [0; 2];
    n.copy_from_slice(take(rest, 2)?);
    let text = take(rest, usize::from(u16::from_le_bytes(n)))?;
    String::from_utf8(text.to_vec()).map_err(|_| error("a text is not UTF-8"))
}

fn take_points<P: AffineRepr>(rest: &mut &[u8], n: usize) -> Result<Vec<P>, ConfigError> {
    let size = P::generator().serialized_size(Compress::No);
    let read = |bytes: &[u8]| {
        P::deserialize_with_mode(bytes, Compress::No, Validate::Yes)
            .map_err(|_| error("a point is not on the curve or not in the subgroup"))
    };
    take(rest, size * n)?.par_chunks_exact(size).map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<S: PairingSetting>() {
        let srs = Srs::<S>::insecure(5, 7).unwrap();
        let bytes = srs.encode();
        let loaded = Srs::<S>::decode(&bytes).unwrap();
        assert_eq!(loaded.powers(), srs.powers());
        assert_eq!(loaded.origin, srs.origin);
        assert_eq!(loaded.hiding(), srs.hiding());
        assert_eq!(bytes, loaded.encode());
        assert_eq!(bytes, Srs::<S>::insecure(5, 7).unwrap().encode());
        assert_ne!(bytes, Srs::<S>::insecure(5, 8).unwrap().encode());
        assert_eq!(&srs.powers()[..4], Srs::<S>::insecure(2, 7).unwrap().powers());
        for log_height in 0..=5 {
            assert_eq!(loaded.lagrange(log_height), srs.lagrange(log_height));
        }
        assert!(srs.lagrange(6).is_none());
        for n in 0..bytes.len() {
            assert!(Srs::<S>::decode(&bytes[..n]).is_err());
        }
        assert!(Srs::<S>::decode(&[bytes.as_slice(), &[0]].concat()).is_err());
    }

    fn edit<S: PairingSetting>(srs: &mut Srs<S>, change: impl FnOnce(&mut Vec<G1<S>>)) {
        let mut powers = srs.powers().to_vec();
        change(&mut powers);
        *srs.powers.last_mut().unwrap() = OnceLock::from(powers);
    }

    fn refuses_wrong_points<S: PairingSetting>() {
        let fresh = |log| Srs::<S>::insecure(log, 7).unwrap();
        let mut srs = fresh(4);
        edit(&mut srs, |powers| powers.swap(3, 4));
        assert!(Srs::<S>::decode(&srs.encode()).is_err());
        let mut srs = fresh(4);
        srs.g2[1] = Srs::<S>::insecure(1, 8).unwrap().g2[1];
        assert!(Srs::<S>::decode(&srs.encode()).is_err());
        for tau in [0u64, 1] {
            let mut srs = fresh(1);
            edit(&mut srs, |powers| powers[1] = (powers[0] * Scalar::<S>::from(tau)).into());
            srs.g2[1] = (srs.g2[0] * Scalar::<S>::from(tau)).into();
            assert!(Srs::<S>::decode(&srs.encode()).is_err());
        }
        let mut srs = fresh(3);
        let triple = |p: &mut G1<S>| *p = (*p * Scalar::<S>::from(3u64)).into();
        edit(&mut srs, |powers| powers.iter_mut().for_each(triple));
        assert!(Srs::<S>::decode(&srs.encode()).is_err(), "another generator");
        let mut srs = fresh(3);
        srs.hiding.iter_mut().for_each(|(xi, _)| triple(xi));
        assert!(Srs::<S>::decode(&srs.encode()).is_err(), "unequal points for hiding");
        srs.hiding = Some((G1::<S>::identity(), G2::<S>::zero()));
        assert!(Srs::<S>::decode(&srs.encode()).is_err(), "no hiding");
        for power in [0, 1] {
            srs.hiding = Some((srs.powers()[power], srs.g2[power]));
            assert!(Srs::<S>::decode(&srs.encode()).is_err(), "the trapdoor to the power {power} for hiding");
        }
        srs.hiding = None;
        let plain = Srs::<S>::decode(&srs.encode()).unwrap();
        assert!(plain.hiding().is_none() && plain.powers() == srs.powers());
    }

    #[test]
    fn files() {
        check::<Bls12>();
        check::<Bn254>();
        refuses_wrong_points::<Bls12>();
        refuses_wrong_points::<Bn254>();
        let bls = Srs::<Bls12>::insecure(1, 0).unwrap().encode();
        assert!(Srs::<Bn254>::decode(&bls).is_err());
        let mut trusted = Srs::<Bls12>::insecure(1, 0).unwrap();
        trusted.origin = Setup::Trusted("a ceremony".into());
        let trusted = Srs::<Bls12>::decode(&trusted.encode()).unwrap();
        assert!(matches!(trusted.origin(), Setup::Trusted(text) if text.starts_with("a ceremony, file ")));
    }

    #[test]
    fn every_flipped_byte_of_a_point_is_refused() {
        let bytes = Srs::<Bls12>::insecure(1, 0).unwrap().encode();
        let points = 3 * 96 + 3 * 192;
        for i in bytes.len() - points..bytes.len() {
            let mut bytes = bytes.clone();
            bytes[i] ^= 1;
            assert!(Srs::<Bls12>::decode(&bytes).is_err(), "byte {i}");
        }
    }
}
