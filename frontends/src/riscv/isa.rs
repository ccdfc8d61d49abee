//! RV32IM: the instructions, their encodings, and what each computes.
//!
//! One row of the table below is one instruction: its name, its format, the bits that identify it and its meaning.
//! Decoding, encoding and printing are derived from the row. The arithmetic of every instruction is [`alu`], and
//! nothing else in the workspace computes it natively.
//!
//! Decoding is strict and loses nothing: `decode(word) == Some(inst)` implies `encode(inst) == word`. EBREAK, the CSR
//! instructions, FENCE.I, compressed code and every reserved encoding are not instructions here; executing one traps.

use std::fmt;

/// How the 32 bits of an instruction are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `rd`, `rs1`, `rs2`.
    R,
    /// `rd`, `rs1` and a signed 12-bit immediate.
    I,
    /// `rd`, `rs1` and a shift amount in 0..32.
    Shift,
    /// `rs1`, `rs2` and a signed 12-bit immediate: stores.
    S,
    /// `rs1`, `rs2` and an even, signed 13-bit displacement: branches.
    B,
    /// `rd` and the upper 20 bits of a word.
    U,
    /// `rd` and an even, signed 21-bit displacement: JAL.
    J,
    /// FENCE, whose ordering bits are kept as a signed 12-bit immediate.
    Fence,
    /// ECALL, one fixed word.
    Ecall,
}

impl Format {
    /// The bits of a word that identify an instruction of this format.
    const fn mask(self) -> u32 {
        match self {
            Format::R | Format::Shift => 0xfe00_707f,
            Format::I | Format::S | Format::B => 0x0000_707f,
            Format::U | Format::J => 0x0000_007f,
            Format::Fence => 0x000f_ffff,
            Format::Ecall => u32::MAX,
        }
    }
}

/// A row of the instruction table.
struct Row {
    name: &'static str,
    format: Format,
    bits: u32,
}

macro_rules! instructions {
    ($($op:ident $name:literal $format:ident ($opcode:literal, $funct3:literal, $funct7:literal) $meaning:literal;)*) => {
        /// The instructions of RV32IM.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Op {
            $(
                #[doc = concat!("`", $name, "`: ", $meaning, ".")]
                $op,
            )*
        }

        impl Op {
            /// Every instruction, in the order of the discriminants.
            pub const ALL: &'static [Op] = &[$(Op::$op),*];

            const fn row(self) -> &'static Row {
                const ROWS: &[Row] = &[$(
                    Row { name: $name, format: Format::$format, bits: $opcode | ($funct3 << 12) | ($funct7 << 25) }
                ),*];
                &ROWS[self as usize]
            }
        }
    };
}

instructions! {
    Add    "add"    R     (0x33, 0, 0x00) "rd = rs1 + rs2";
    Sub    "sub"    R     (0x33, 0, 0x20) "rd = rs1 - rs2";
    Sll    "sll"    R     (0x33, 1, 0x00) "rd = rs1 << (rs2 mod 32)";
    Slt    "slt"    R     (0x33, 2, 0x00) "rd = 1 if rs1 < rs2 signed, else 0";
    Sltu   "sltu"   R     (0x33, 3, 0x00) "rd = 1 if rs1 < rs2 unsigned, else 0";
    Xor    "xor"    R     (0x33, 4, 0x00) "rd = rs1 ^ rs2";
    Srl    "srl"    R     (0x33, 5, 0x00) "rd = rs1 >> (rs2 mod 32), zeros shifted in";
    Sra    "sra"    R     (0x33, 5, 0x20) "rd = rs1 >> (rs2 mod 32), the sign shifted in";
    Or     "or"     R     (0x33, 6, 0x00) "rd = rs1 | rs2";
    And    "and"    R     (0x33, 7, 0x00) "rd = rs1 & rs2";
    Mul    "mul"    R     (0x33, 0, 0x01) "rd = low word of rs1 * rs2";
    Mulh   "mulh"   R     (0x33, 1, 0x01) "rd = high word of signed rs1 * signed rs2";
    Mulhsu "mulhsu" R     (0x33, 2, 0x01) "rd = high word of signed rs1 * unsigned rs2";
    Mulhu  "mulhu"  R     (0x33, 3, 0x01) "rd = high word of unsigned rs1 * unsigned rs2";
    Div    "div"    R     (0x33, 4, 0x01) "rd = rs1 / rs2 signed, towards zero; -1 if rs2 = 0; MIN / -1 = MIN";
    Divu   "divu"   R     (0x33, 5, 0x01) "rd = rs1 / rs2 unsigned; all ones if rs2 = 0";
    Rem    "rem"    R     (0x33, 6, 0x01) "rd = rs1 mod rs2, with the sign of rs1; rs1 if rs2 = 0; MIN mod -1 = 0";
    Remu   "remu"   R     (0x33, 7, 0x01) "rd = rs1 mod rs2 unsigned; rs1 if rs2 = 0";
    Addi   "addi"   I     (0x13, 0, 0x00) "rd = rs1 + imm";
    Slti   "slti"   I     (0x13, 2, 0x00) "rd = 1 if rs1 < imm signed, else 0";
    Sltiu  "sltiu"  I     (0x13, 3, 0x00) "rd = 1 if rs1 < imm unsigned, else 0";
    Xori   "xori"   I     (0x13, 4, 0x00) "rd = rs1 ^ imm";
    Ori    "ori"    I     (0x13, 6, 0x00) "rd = rs1 | imm";
    Andi   "andi"   I     (0x13, 7, 0x00) "rd = rs1 & imm";
    Slli   "slli"   Shift (0x13, 1, 0x00) "rd = rs1 << imm";
    Srli   "srli"   Shift (0x13, 5, 0x00) "rd = rs1 >> imm, zeros shifted in";
    Srai   "srai"   Shift (0x13, 5, 0x20) "rd = rs1 >> imm, the sign shifted in";
    Lb     "lb"     I     (0x03, 0, 0x00) "rd = sign-extended byte at rs1 + imm";
    Lh     "lh"     I     (0x03, 1, 0x00) "rd = sign-extended halfword at rs1 + imm";
    Lw     "lw"     I     (0x03, 2, 0x00) "rd = word at rs1 + imm";
    Lbu    "lbu"    I     (0x03, 4, 0x00) "rd = byte at rs1 + imm";
    Lhu    "lhu"    I     (0x03, 5, 0x00) "rd = halfword at rs1 + imm";
    Sb     "sb"     S     (0x23, 0, 0x00) "byte at rs1 + imm = rs2";
    Sh     "sh"     S     (0x23, 1, 0x00) "halfword at rs1 + imm = rs2";
    Sw     "sw"     S     (0x23, 2, 0x00) "word at rs1 + imm = rs2";
    Beq    "beq"    B     (0x63, 0, 0x00) "pc = pc + imm if rs1 = rs2";
    Bne    "bne"    B     (0x63, 1, 0x00) "pc = pc + imm if rs1 differs from rs2";
    Blt    "blt"    B     (0x63, 4, 0x00) "pc = pc + imm if rs1 < rs2 signed";
    Bge    "bge"    B     (0x63, 5, 0x00) "pc = pc + imm if rs1 >= rs2 signed";
    Bltu   "bltu"   B     (0x63, 6, 0x00) "pc = pc + imm if rs1 < rs2 unsigned";
    Bgeu   "bgeu"   B     (0x63, 7, 0x00) "pc = pc + imm if rs1 >= rs2 unsigned";
    Jal    "jal"    J     (0x6f, 0, 0x00) "rd = pc + 4; pc = pc + imm";
    Jalr   "jalr"   I     (0x67, 0, 0x00) "rd = pc + 4; pc = rs1 + imm with the low bit cleared";
    Lui    "lui"    U     (0x37, 0, 0x00) "rd = imm, whose low 12 bits are zero";
    Auipc  "auipc"  U     (0x17, 0, 0x00) "rd = pc + imm, the low 12 bits of imm being zero";
    Fence  "fence"  Fence (0x0f, 0, 0x00) "nothing: there is one hart";
    Ecall  "ecall"  Ecall (0x73, 0, 0x00) "the system call numbered a7";
}

impl Op {
    /// The mnemonic, in lower case.
    pub const fn name(self) -> &'static str {
        self.row().name
    }

    /// The layout of its encoding.
    pub const fn format(self) -> Format {
        self.row().format
    }

    /// Whether it reads memory.
    pub const fn is_load(self) -> bool {
        matches!(self, Op::Lb | Op::Lh | Op::Lw | Op::Lbu | Op::Lhu)
    }

    /// Whether it writes memory.
    pub const fn is_store(self) -> bool {
        matches!(self, Op::Sb | Op::Sh | Op::Sw)
    }

    /// Whether it is a conditional branch.
    pub const fn is_branch(self) -> bool {
        matches!(self.format(), Format::B)
    }

    /// The bytes a load or store moves; 0 for every other instruction.
    #[inline(always)]
    pub const fn width(self) -> u32 {
        match self {
            Op::Lb | Op::Lbu | Op::Sb => 1,
            Op::Lh | Op::Lhu | Op::Sh => 2,
            Op::Lw | Op::Sw => 4,
            _ => 0,
        }
    }
}

/// A decoded instruction.
///
/// Register fields that its format lacks are 0, and so is a missing immediate. The immediate is the value the
/// instruction uses: a displacement in bytes for jumps and branches, a whole word with 12 low zeros for LUI and AUIPC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Inst {
    /// Which instruction.
    pub op: Op,
    /// The register written, 0 to 31.
    pub rd: u8,
    /// The first register read, 0 to 31.
    pub rs1: u8,
    /// The second register read, 0 to 31.
    pub rs2: u8,
    /// The immediate.
    pub imm: i32,
}

impl Inst {
    /// An instruction from its parts.
    pub const fn new(op: Op, rd: u8, rs1: u8, rs2: u8, imm: i32) -> Inst {
        Inst { op, rd, rs1, rs2, imm }
    }
}

/// The instruction a word encodes, or `None` when it is not one of RV32IM.
pub fn decode(word: u32) -> Option<Inst> {
    let op = Op::ALL.iter().copied().find(|op| word & op.format().mask() == op.row().bits)?;
    let field = |low: u32| (word >> low & 31) as u8;
    let (rd, rs1, rs2) = (field(7), field(15), field(20));
    let signed = word as i32;
    let sign = signed >> 31;
    Some(match op.format() {
        Format::R => Inst::new(op, rd, rs1, rs2, 0),
        Format::I => Inst::new(op, rd, rs1, 0, signed >> 20),
        Format::Shift => Inst::new(op, rd, rs1, 0, i32::from(rs2)),
        Format::S => Inst::new(op, 0, rs1, rs2, signed >> 25 << 5 | i32::from(rd)),
        Format::B => {
            let imm = sign << 12 | (signed << 4 & 0x800) | (signed >> 20 & 0x7e0) | (signed >> 7 & 0x1e);
            Inst::new(op, 0, rs1, rs2, imm)
        }
        Format::U => Inst::new(op, rd, 0, 0, signed & !0xfff),
        Format::J => {
            let imm = sign << 20 | (signed & 0xf_f000) | (signed >> 9 & 0x800) | (signed >> 20 & 0x7fe);
            Inst::new(op, rd, 0, 0, imm)
        }
        Format::Fence => {
            // Ordering bits: any predecessor and successor sets with mode 0, and `fence.tso`.
            let imm = signed >> 20;
            if imm >> 8 != 0 && word >> 20 != 0x833 {
                return None;
            }
            Inst::new(op, 0, 0, 0, imm)
        }
        Format::Ecall => Inst::new(op, 0, 0, 0, 0),
    })
}

/// The word that encodes an instruction. Bits of a field or immediate beyond its width in the encoding are dropped.
pub fn encode(inst: Inst) -> u32 {
    let Inst { op, rd, rs1, rs2, imm } = inst;
    let at = |register: u8, low: u32| u32::from(register & 31) << low;
    let (rd, rs1, rs2) = (at(rd, 7), at(rs1, 15), at(rs2, 20));
    let imm = imm as u32;
    let fields = match op.format() {
        Format::R => rd | rs1 | rs2,
        Format::I => rd | rs1 | imm << 20,
        Format::Shift => rd | rs1 | (imm & 31) << 20,
        Format::S => rs1 | rs2 | imm >> 5 << 25 | (imm & 31) << 7,
        Format::B => {
            rs1 | rs2 | (imm >> 12) << 31 | (imm >> 5 & 0x3f) << 25 | (imm >> 1 & 0xf) << 8 | (imm >> 11 & 1) << 7
        }
        Format::U => rd | imm & !0xfff,
        Format::J => {
            rd | (imm >> 20) << 31 | (imm >> 1 & 0x3ff) << 21 | (imm >> 11 & 1) << 20 | (imm >> 12 & 0xff) << 12
        }
        Format::Fence => imm << 20,
        Format::Ecall => 0,
    };
    op.row().bits | fields
}

/// What an instruction computes from its two operands.
///
/// `a` is the value of `rs1`, or the pc for AUIPC, JAL and the target of a branch; `b` is the value of `rs2`, or the
/// immediate. The result is `rd` for arithmetic, the condition as 0 or 1 for branches, and the address (modulo 2^32)
/// for loads, stores, JAL and JALR. FENCE and ECALL compute nothing: 0.
#[inline(always)]
pub fn alu(op: Op, a: u32, b: u32) -> u32 {
    let (sa, sb) = (a as i32, b as i32);
    match op {
        Op::Add | Op::Addi | Op::Auipc | Op::Jal | Op::Jalr => a.wrapping_add(b),
        Op::Lb | Op::Lh | Op::Lw | Op::Lbu | Op::Lhu | Op::Sb | Op::Sh | Op::Sw => a.wrapping_add(b),
        Op::Sub => a.wrapping_sub(b),
        Op::Sll | Op::Slli => a << (b & 31),
        Op::Srl | Op::Srli => a >> (b & 31),
        Op::Sra | Op::Srai => (sa >> (b & 31)) as u32,
        Op::Slt | Op::Slti | Op::Blt => u32::from(sa < sb),
        Op::Sltu | Op::Sltiu | Op::Bltu => u32::from(a < b),
        Op::Beq => u32::from(a == b),
        Op::Bne => u32::from(a != b),
        Op::Bge => u32::from(sa >= sb),
        Op::Bgeu => u32::from(a >= b),
        Op::Xor | Op::Xori => a ^ b,
        Op::Or | Op::Ori => a | b,
        Op::And | Op::Andi => a & b,
        Op::Mul => a.wrapping_mul(b),
        Op::Mulh => ((i64::from(sa) * i64::from(sb)) >> 32) as u32,
        Op::Mulhsu => ((i64::from(sa) * i64::from(b)) >> 32) as u32,
        Op::Mulhu => ((u64::from(a) * u64::from(b)) >> 32) as u32,
        Op::Div if b == 0 => u32::MAX,
        Op::Div => sa.wrapping_div(sb) as u32,
        Op::Divu => a.checked_div(b).unwrap_or(u32::MAX),
        Op::Rem if b == 0 => a,
        Op::Rem => sa.wrapping_rem(sb) as u32,
        Op::Remu => a.checked_rem(b).unwrap_or(a),
        Op::Lui => b,
        Op::Fence | Op::Ecall => 0,
    }
}

/// The value a load puts in `rd`, from the bytes it read in the low end of `raw`.
#[inline(always)]
pub const fn extend(op: Op, raw: u32) -> u32 {
    match op {
        Op::Lb => raw as i8 as u32,
        Op::Lh => raw as i16 as u32,
        Op::Lbu => raw & 0xff,
        Op::Lhu => raw & 0xffff,
        _ => raw,
    }
}

/// The ABI name of a register, `zero` to `t6`.
pub fn register_name(index: u8) -> &'static str {
    const NAMES: [&str; 32] = [
        "zero", "ra", "sp", "gp", "tp", "t0", "t1", "t2", "s0", "s1", "a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7",
        "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6",
    ];
    NAMES[usize::from(index & 31)]
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Inst {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inst { op, imm, .. } = *self;
        let [rd, rs1, rs2] = [self.rd, self.rs1, self.rs2].map(register_name);
        match op.format() {
            Format::R => write!(f, "{op} {rd}, {rs1}, {rs2}"),
            Format::I if op.is_load() || op == Op::Jalr => write!(f, "{op} {rd}, {imm}({rs1})"),
            Format::I | Format::Shift => write!(f, "{op} {rd}, {rs1}, {imm}"),
            Format::S => write!(f, "{op} {rs2}, {imm}({rs1})"),
            Format::B => write!(f, "{op} {rs1}, {rs2}, {imm:+}"),
            Format::U => write!(f, "{op} {rd}, {:#x}", imm as u32 >> 12),
            Format::J => write!(f, "{op} {rd}, {imm:+}"),
            Format::Fence | Format::Ecall => write!(f, "{op}"),
        }
    }
}
