//! Forgeries that need more than one cell at a time: what a prover would try who knows the field.
//!
//! Multiplication and division are checked on products of bytes carried in 16-bit limbs. A factor
//! whose sign is a fraction, or a word split into bytes that are none, shifts a limb by a multiple of
//! the characteristic, and only particular operands make every carry come out small. Each entry sets
//! the cells that matter; the search solves for the rest.

use p3_field::PrimeField64;

use super::model::Model;
use super::search::signed;
use super::seeds::Seed;

/// A row and the cells to change in it.
pub type Cheat<F> = (Seed<F>, Vec<(usize, F)>);

/// Every forgery against a table.
pub fn cheats<F: PrimeField64>(model: &Model<F>, seeds: &[Seed<F>]) -> Vec<Cheat<F>> {
    match model.shape.name {
        "mul" => mul(model, seeds),
        "div" => div(model, seeds),
        _ => Vec::new(),
    }
}

/// Cells being set by name, in a row of an instruction.
struct Cells<'a, F> {
    model: &'a Model<F>,
    set: Vec<(usize, F)>,
}

impl<F: PrimeField64> Cells<'_, F> {
    fn cell(&mut self, name: &str, value: F) -> &mut Self {
        self.set.push((self.model.column(name), value));
        self
    }

    fn bytes(&mut self, name: &str, word: u32) -> &mut Self {
        for (i, byte) in word.to_le_bytes().into_iter().enumerate() {
            self.cell(&format!("{name}{i}"), F::from_u8(byte));
        }
        self
    }

    fn word(&mut self, names: [&str; 2], word: u32) -> &mut Self {
        self.cell(names[0], F::from_u32(word & 0xffff)).cell(names[1], F::from_u32(word >> 16))
    }
}

/// A row of the instruction whose flags these are, on three registers.
fn of_flags<F: PrimeField64>(model: &Model<F>, seeds: &[Seed<F>], flags: &[(&str, u32)]) -> Option<Seed<F>> {
    let fits = |seed: &&Seed<F>| {
        let cell = |name| seed.row[model.column(name)];
        let [x, y, z] = [cell("rs1"), cell("rs2"), cell("rd")];
        let apart = x != y && y != z && x != z && !x.is_zero() && !y.is_zero();
        apart && seed.row[0] == F::ONE && flags.iter().all(|&(name, x)| cell(name) == F::from_u32(x))
    };
    seeds.iter().find(fits).cloned()
}

fn half<F: PrimeField64>() -> F {
    F::TWO.inverse()
}

fn mul<F: PrimeField64>(model: &Model<F>, seeds: &[Seed<F>]) -> Vec<Cheat<F>> {
    let Some(mulh) = of_flags(model, seeds, &[("a signed", 1), ("b signed", 1), ("high", 1)]) else {
        return Vec::new();
    };
    // Half a sign is an extension of 127.5, which an even factor makes whole.
    [["a", "b"], ["b", "a"]]
        .map(|[x, y]| {
            let mut cells = Cells { model, set: Vec::new() };
            cells.bytes(x, 0x7fff_ffff).bytes(y, 0x0200_0000);
            cells.cell(&format!("{x} sign"), half()).cell(&format!("{y} sign"), F::ZERO);
            (mulh.clone(), cells.set)
        })
        .into()
}

/// The cells of a division by quotient, remainder and their signs.
struct Division<F> {
    a: u32,
    a_sign: F,
    b: u32,
    b_sign: F,
    q: i64,
    r: u32,
    r_sign: F,
    size: u32,
}

impl<F: PrimeField64> Division<F> {
    fn new(a: u32, b: u32, q: i64, r: u32) -> Self {
        Self { a, a_sign: F::ZERO, b, b_sign: F::ZERO, q, r, r_sign: F::ZERO, size: r }
    }

    fn cells<'a>(&self, model: &'a Model<F>) -> Cells<'a, F> {
        let mut cells = Cells { model, set: Vec::new() };
        cells.word(["a lo", "a hi"], self.a).bytes("b", self.b).bytes("q", self.q as u32);
        cells.cell("a sign", self.a_sign).cell("b sign", self.b_sign);
        cells.cell("q sign", F::from_bool(self.q < 0)).cell("b is zero", F::ZERO);
        cells.word(["r lo", "r hi"], self.r).word(["|r| lo", "|r| hi"], self.size).cell("r sign", self.r_sign);
        cells
    }
}

fn div<F: PrimeField64>(model: &Model<F>, seeds: &[Seed<F>]) -> Vec<Cheat<F>> {
    let row = |signed| of_flags(model, seeds, &[("signed", signed), ("remainder", 0)]);
    let (Some(divu), Some(div)) = (row(0), row(1)) else { return Vec::new() };
    let mut cheats = Vec::new();

    // Half a sign makes the divisor b - 2^31, and what is left over any word below 2^31.
    let d = Division { b_sign: half(), ..Division::new(0x7fff_ffff, 0x4000_0000, 0, 0x7fff_ffff) };
    cheats.push((div.clone(), d.cells(model).set));

    // Fractions u / 2^15 as sign of the dividend extend it by X = 65535 u / 2^15 in the field, which
    // happens to be small; a quotient that makes up for it leaves nothing over.
    let small = |x: F| Some(signed(x)).filter(|x| x.abs() < 1 << 27);
    let dividends = (1..1u32 << 15).filter_map(|u| {
        let a_sign = F::from_u32(u) * F::from_u32(1 << 15).inverse();
        let extension = small(a_sign * F::from_u32(0xffff))?;
        let (b, high) = (0x7fff_fff1i64, i128::from((extension.wrapping_mul(65537)) as i32));
        let q = (high << 32).div_euclid(i128::from(b)) + 1;
        let a = u32::try_from(i128::from(b) * q - (high << 32)).ok()?;
        let fits = (a >> 16).checked_sub(u).is_some_and(|rest| rest < 1 << 15);
        fits.then(|| Division { a_sign, ..Division::new(a, b as u32, q as i64, 0) })
    });
    cheats.extend(dividends.take(200).map(|d| (div.clone(), d.cells(model).set)));

    // A remainder whose sign is e / 2^16, so that it may differ from its size by e limbs.
    for e in 1..20u32 {
        let r_sign = F::from_u32(e) * F::from_u32(1 << 16).inverse();
        let Some(extension) = small(r_sign * F::from_u32(0xffff)) else { continue };
        let high = (extension.wrapping_mul(65537) as u32).wrapping_neg();
        let (r, q) = (e << 16, i64::from(high) + 1);
        if let Some(a) = r.checked_add(high.wrapping_neg().wrapping_sub(1)) {
            let d = Division { r_sign, size: 0, ..Division::new(a, u32::MAX, q, r) };
            cheats.push((divu.clone(), d.cells(model).set));
        }
    }

    // A carry of -1 / 2^16, which is 32512 on KoalaBear, out of the second limb.
    let carry = signed(-F::from_u32(1 << 16).inverse());
    if let Ok(carry) = u32::try_from(carry)
        && carry < 1 << 28
    {
        let d = Division::new(carry - 1 + (1 << 16) + 5, u32::MAX, (1 << 32) - i64::from(carry) + 1, 5);
        cheats.push((divu.clone(), d.cells(model).set));
    }

    // The divisor as bytes that are none: its first less 256 * 120, its second more by 120, moves the
    // first limb of the product by the characteristic.
    let characteristic = F::ORDER_U64 as i64;
    if let Ok(a) = u32::try_from(200 * 0xff00 + 5 + characteristic) {
        let mut cells = Division::<F>::new(a, 200, 0xff00, 5).cells(model);
        cells.cell("b0", F::from_i64(200 - 256 * 120)).cell("b1", F::from_i64(120));
        cheats.push((divu, cells.set));
    }
    // Its first more by 1, its second less by 1/256.
    let mut cells = Division { b_sign: F::ONE, ..Division::new(300, 0x8100_0000, 256, 44) }.cells(model);
    cells.cell("b0", F::ONE).cell("b1", -F::from_u32(256).inverse());
    cheats.push((div, cells.set));
    cheats
}
