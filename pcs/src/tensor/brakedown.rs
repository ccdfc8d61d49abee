//! Brakedown's codes \[GLSTW21, Section 5\], encoded in linear time by sparse matrices.
//!
//! `Enc(x) = (x, z, z B)` with `z = Enc(x A)`, where `A` maps `n` symbols to `alpha n`, and `B` fills the
//! codeword up to `r n`; short messages are encoded by a Reed-Solomon code. Every row of `A` has `c`
//! entries, every row of `B` has `d`, at random places and with random values.
//!
//! **Distance.** A codeword of `x != 0` has weight at least `beta n` unless some `x` of lower weight has
//! `x A = 0`, or some `z` of weight between `beta alpha n` and `beta n` has `z B` of too low weight. Either
//! is improbable for random matrices, by a union bound over the supports of `x` and `z` and the columns
//! their rows reach; the test below evaluates it over a 31-bit field. The matrices are drawn once and
//! for all from a public seed, so that they are good is an assumption of the ledger.
//!
//! | symbol | meaning | value |
//! |---|---|---|
//! | `alpha` | length of `x A` by that of `x` | 0.238 |
//! | `beta` | weight by length of the message | 0.1205 |
//! | `r` | inverse rate | 1.72 |
//! | `c`, `d` | entries in a row of `A`, of `B` | [`weights`] |

use std::sync::OnceLock;

use p3_field::{Field, PrimeCharacteristicRing};
use p3_matrix::Matrix;
use rayon::prelude::*;
use trilemma_core::claim::Columns;
use trilemma_core::{ConfigError, Ledger, Options, Regime, Setting};

use super::LinearCode;
use super::sparse::{Sparse, Stream};
use crate::codes::proximity::Proximity;

/// The last line of Figure 2 of \[GLSTW21\]: relative distance 0.07.
const ALPHA: f64 = 0.238;
const BETA: f64 = 0.1205;
const R: f64 = 1.72;
/// Messages up to this length are encoded by a Reed-Solomon code.
const SHORT: usize = 30;
/// `-log2` of the probability that matrices are bad.
const DISTANCE_BITS: f64 = 100.0;

fn ceil(x: f64) -> usize {
    x.ceil() as usize
}

/// Symbols of the codeword of `n` symbols.
fn length(n: usize) -> usize {
    ceil(R * n as f64)
}

/// Symbols of `x A` for `n` symbols of `x`.
fn inner(n: usize) -> usize {
    ceil(ALPHA * n as f64)
}

/// Symbols of `z B`.
fn tail(n: usize) -> usize {
    length(n) - n - length(inner(n))
}

/// Weight of every nonzero codeword.
fn distance(n: usize) -> usize {
    if n <= SHORT { length(n) - n + 1 } else { ceil(BETA * n as f64) }
}

/// Entries of every row of `A` and of `B`, from \[GLSTW21, Section 5.1\].
fn weights(n: usize, base_bits: f64) -> (usize, usize) {
    let entropy = |p: f64| -p * p.log2() - (1.0 - p) * (1.0 - p).log2();
    let size = n as f64;
    let (mu, nu) = (R - 1.0 - R * ALPHA, BETA + ALPHA * BETA + 0.03);
    let dense = ceil(1.28 * BETA * size).max(ceil(BETA * size) + 4);
    let sparse =
        (110.0 / size + entropy(BETA) + ALPHA * entropy(1.28 * BETA / ALPHA)) / (BETA * (ALPHA / (1.28 * BETA)).log2());
    let c = dense.min(ceil(sparse));
    let dense = (2.0 * BETA + (R - 1.0 + 110.0 / size) / base_bits) * size;
    let sparse =
        (R * ALPHA * entropy(BETA / R) + mu * entropy(nu / mu) + 110.0 / size) / (ALPHA * BETA * (mu / nu).log2());
    (c.min(inner(n)), ceil(dense.min(sparse)).min(tail(n)))
}

/// The matrices of one code, longest messages first.
struct Matrices<F>(Vec<(Sparse<F>, Sparse<F>)>);

impl<F: Field> Matrices<F> {
    fn new<S: Setting<Base = F>>(mut n: usize) -> Self {
        let mut matrices = Vec::new();
        let base_bits = F::bits() as f64 - 1.0;
        while n > SHORT {
            let (c, d) = weights(n, base_bits);
            let mut stream = Stream::new(&format!("{} {n}", S::NAME));
            let a = Sparse::random::<S>(n, inner(n), c, &mut stream);
            let b = Sparse::random::<S>(length(inner(n)), tail(n), d, &mut stream);
            matrices.push((a, b));
            n = inner(n);
        }
        Self(matrices)
    }

    /// Encodes the columns of a matrix of rows of `width` cells, into rows that start with them.
    fn encode(&self, width: usize, n: usize, codeword: &mut [F]) {
        self.encode_from(0, width, n, codeword);
    }

    fn encode_from(&self, level: usize, width: usize, n: usize, codeword: &mut [F]) {
        let Some((a, b)) = self.0.get(level) else { return encode_short(width, n, codeword) };
        let (message, rest) = codeword.split_at_mut(n * width);
        let (z, tail) = rest.split_at_mut(length(inner(n)) * width);
        a.apply(message, width, &mut z[..inner(n) * width]);
        self.encode_from(level + 1, width, inner(n), z);
        b.apply(z, width, tail);
    }
}

/// The values at `0, 1, 2, ..` of the polynomials with the message for coefficients.
fn encode_short<F: Field>(width: usize, n: usize, codeword: &mut [F]) {
    let message = codeword[..n * width].to_vec();
    codeword.par_chunks_exact_mut(width).enumerate().for_each(|(x, symbols)| {
        let x = F::from_usize(x);
        symbols.fill(F::ZERO);
        for coefficients in message.chunks_exact(width).rev() {
            symbols.iter_mut().zip(coefficients).for_each(|(s, &c)| *s = *s * x + c);
        }
    });
}

/// Brakedown's codes; matrices are made when first needed.
pub struct Expander<S: Setting> {
    matrices: Vec<OnceLock<Matrices<S::Base>>>,
}

impl<S: Setting> LinearCode<S> for Expander<S> {
    const NAME: &'static str = "brakedown";

    fn new(options: &Options, max_variables: usize) -> Result<Self, ConfigError> {
        if options.security.regime != Regime::Udr {
            return Err(ConfigError("regime: nothing is proven of brakedown's code but under udr".into()));
        }
        Ok(Self { matrices: (0..=max_variables).map(|_| OnceLock::new()).collect() })
    }

    fn max_log_message(&self) -> usize {
        self.matrices.len() - 1
    }

    fn length(&self, log_message: usize) -> usize {
        length(1 << log_message)
    }

    fn encode(&self, mut messages: Columns<S::Base>) -> Columns<S::Base> {
        let (n, width) = (messages.height(), messages.width());
        messages.values.resize(length(n) * width, S::Base::ZERO);
        if let Some(matrices) = self.matrices.get(n.trailing_zeros() as usize) {
            matrices.get_or_init(|| Matrices::new::<S>(n)).encode(width, n, &mut messages.values);
        }
        messages
    }

    fn proximity(&self, log_message: usize) -> Proximity {
        Proximity::third(length(1 << log_message), distance(1 << log_message))
    }

    fn assume(&self, ledger: &mut Ledger) {
        ledger.assume("distance of the generated code", DISTANCE_BITS, "[GLSTW21] Section 5");
    }
}

#[cfg(test)]
mod tests {
    use p3_koala_bear::KoalaBear;
    use rand::rngs::SmallRng;
    use rand::{RngExt, SeedableRng};
    use trilemma_core::setting::KoalaBear4;

    use super::*;

    type Code = Expander<KoalaBear4>;

    fn code() -> Code {
        Code::new(&Options::default(), 12).expect("legal")
    }

    #[test]
    fn weights_are_the_published_ones() {
        assert_eq!(weights(1 << 30, 127.0), (10, 20));
    }

    #[test]
    fn encoding_is_linear_and_by_columns() {
        let mut rng = SmallRng::seed_from_u64(5);
        for log in [0, 3, 5, 8, 10] {
            let n = 1 << log;
            let cells: Vec<KoalaBear> = (0..n * 3).map(|_| rng.random()).collect();
            let encode = |cells: Vec<KoalaBear>, width| code().encode(Columns::new(cells, width)).values;
            let columns = encode(cells.clone(), 3);
            assert_eq!(columns.len(), 3 * length(n));
            let column = |i: usize| cells[i..].iter().step_by(3).copied();
            let sum: Vec<KoalaBear> = column(0).zip(column(1)).map(|(a, b)| a + b.double()).collect();
            let encoded: Vec<KoalaBear> = columns.chunks(3).map(|row| row[0] + row[1].double()).collect();
            assert_eq!(encode(sum, 1), encoded);
            if n > SHORT {
                assert_eq!(columns[..cells.len()], cells);
            }
        }
    }

    #[test]
    fn light_messages_have_heavy_codewords() {
        for log in [1, 4, 6, 9] {
            let n = 1 << log;
            for light in 0..n.min(40) {
                let mut message = KoalaBear::zero_vec(n);
                message[light] = KoalaBear::ONE;
                message[n - 1 - light / 2] += KoalaBear::TWO;
                let codeword = code().encode(Columns::new(message, 1)).values;
                assert!(codeword.iter().filter(|x| !x.is_zero()).count() >= distance(n));
            }
        }
    }

    /// log2 of binomials.
    struct Binomials(Vec<f64>);

    impl Binomials {
        fn new(n: usize) -> Self {
            let mut sum = 0.0;
            Self(
                std::iter::once(0.0)
                    .chain((1..=n).map(|i| {
                        sum += (i as f64).log2();
                        sum
                    }))
                    .collect(),
            )
        }

        fn get(&self, n: usize, k: usize) -> f64 {
            if k > n { f64::NEG_INFINITY } else { self.0[n] - self.0[k] - self.0[n - k] }
        }

        /// log2 of a bound on the chance that the rows of some `w` of `inputs` reach exactly `t` columns
        /// of `outputs`, each reaching `weight`.
        fn reach(&self, inputs: usize, w: usize, outputs: usize, t: usize, weight: usize) -> f64 {
            let within = self.get(t, weight) - self.get(outputs, weight);
            self.get(inputs, w) + self.get(outputs, t) + w as f64 * within
        }
    }

    /// `-log2` of a bound on the chance that the matrices for messages of `n` symbols are bad: over the
    /// supports of size `w` and the `t` columns reached, for vectors up to scale, `q^(w - 1)` of them. All
    /// `t` sums must vanish, so that no column is reached once; or all but those left to `z B`.
    fn bad_bits(n: usize, base_bits: f64) -> f64 {
        let binomials = Binomials::new(2 * n);
        let (c, d) = weights(n, base_bits);
        let most = distance(n);
        let mut chance = 0f64;
        for w in 2..most {
            for t in c..=inner(n).min(c * w / 2) {
                let vanish = base_bits * (w as f64 - 1.0 - t as f64).min(0.0);
                chance += (binomials.reach(n, w, inner(n), t, c) + vanish).exp2();
            }
        }
        for w in distance(inner(n)).min(ceil(BETA * inner(n) as f64))..most {
            for t in d..=tail(n) {
                // At most `most - w - 1` of the columns are not zero.
                let left = (most - w - 1).min(t);
                let vanish = base_bits * (w as f64 - 1.0 - (t - left) as f64).min(0.0);
                let chosen = (((left + 1) as f64).log2() + binomials.get(t, left) + vanish).min(0.0);
                chance += (binomials.reach(length(inner(n)), w, tail(n), t, d) + chosen).exp2();
            }
        }
        -chance.log2()
    }

    #[test]
    fn bad_matrices_are_improbable() {
        for log in 5..=12 {
            let mut n = 1 << log;
            while n > SHORT {
                for field_bits in [30.0, 63.0, 253.0] {
                    let bits = bad_bits(n, field_bits);
                    assert!(bits > DISTANCE_BITS + 10.0, "{n} over {field_bits} bits: {bits}");
                }
                n = inner(n);
            }
        }
    }
}
