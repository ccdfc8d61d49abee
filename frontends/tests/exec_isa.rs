//! The instruction table: encodings against the assembler's, strict decoding, and the arithmetic's edge cases.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use trilemma_frontends::riscv::isa::{Format, Inst, Op, alu, decode, encode, extend};

const SEED: u64 = 0x15a;

/// Words as binutils assembles them, with what they print as here.
const ASSEMBLED: &[(u32, &str)] = &[
    (0x00b5_0533, "add a0, a0, a1"),
    (0x40b5_0533, "sub a0, a0, a1"),
    (0x02c5_f533, "remu a0, a1, a2"),
    (0xff01_0113, "addi sp, sp, -16"),
    (0x0011_2623, "sw ra, 12(sp)"),
    (0xfeb4_2e23, "sw a1, -4(s0)"),
    (0x00c1_2083, "lw ra, 12(sp)"),
    (0x0005_4503, "lbu a0, 0(a0)"),
    (0x4015_5513, "srai a0, a0, 1"),
    (0x01f5_1513, "slli a0, a0, 31"),
    (0x1234_5537, "lui a0, 0x12345"),
    (0xffff_f517, "auipc a0, 0xfffff"),
    (0x0000_8067, "jalr zero, 0(ra)"),
    (0xff9f_f0ef, "jal ra, -8"),
    (0x0080_006f, "jal zero, +8"),
    (0xfe05_1ee3, "bne a0, zero, -4"),
    (0x00b5_7463, "bgeu a0, a1, +8"),
    (0x0ff0_000f, "fence"),
    (0x8330_000f, "fence"),
    (0x0000_0073, "ecall"),
];

/// Words that are not RV32IM instructions, with what they are.
const REJECTED: &[(u32, &str)] = &[
    (0x0000_0000, "the all-zero word"),
    (0xffff_ffff, "the all-one word"),
    (0xc000_1073, "unimp"),
    (0x0010_0073, "ebreak"),
    (0x0020_0073, "uret"),
    (0x3020_0073, "mret"),
    (0x1050_0073, "wfi"),
    (0x0000_00f3, "ecall with rd = x1"),
    (0x0000_8073, "ecall with rs1 = x1"),
    (0x3000_2573, "csrr a0, mstatus"),
    (0x0000_100f, "fence.i"),
    (0x0ff0_008f, "fence with rd = x1"),
    (0x0ff0_800f, "fence with rs1 = x1"),
    (0x8ff0_000f, "fence with mode 8 and other sets than rw, rw"),
    (0x1ff0_000f, "fence with mode 1"),
    (0x0205_1513, "slli by 32"),
    (0x0205_5513, "srli by 32"),
    (0x8015_5513, "shift with a reserved upper field"),
    (0x40b5_1533, "sll with sub's upper field"),
    (0x04b5_0533, "add with a reserved upper field"),
    (0x42b5_0533, "mul with sra's bit"),
    (0x0000_3503, "ld"),
    (0x0000_6503, "lwu"),
    (0x00b5_3023, "sd"),
    (0x0000_2063, "branch with function 2"),
    (0x0000_3063, "branch with function 3"),
    (0x0000_9067, "jalr with function 1"),
    (0x00b5_053b, "addw"),
    (0x00b5_051b, "addiw"),
    (0x1005_252f, "lr.w"),
    (0x0005_2507, "flw"),
    (0x0000_4501, "c.li a0, 0"),
];

#[test]
fn encodings_are_the_assemblers() {
    for &(word, text) in ASSEMBLED {
        let inst = decode(word).unwrap_or_else(|| panic!("{word:#010x} ({text}) does not decode"));
        assert_eq!(inst.to_string(), text, "{word:#010x}");
        assert_eq!(encode(inst), word, "{text}");
    }
}

#[test]
fn reserved_and_unsupported_words_do_not_decode() {
    for &(word, what) in REJECTED {
        assert_eq!(decode(word), None, "{what}");
    }
}

/// Whether the fields of a word make an RV32IM instruction, written from the manual's tables without the crate's.
fn is_rv32im(word: u32) -> bool {
    let (function3, function7) = (word >> 12 & 7, word >> 25);
    match word & 0x7f {
        0x37 | 0x17 | 0x6f => true,
        0x67 => function3 == 0,
        0x63 => !matches!(function3, 2 | 3),
        0x03 => !matches!(function3, 3 | 6 | 7),
        0x23 => function3 < 3,
        0x13 => match function3 {
            1 => function7 == 0,
            5 => function7 == 0 || function7 == 0x20,
            _ => true,
        },
        0x33 => match function7 {
            0 | 1 => true,
            0x20 => function3 == 0 || function3 == 5,
            _ => false,
        },
        0x0f => word & 0x000f_ff80 == 0 && (word >> 28 == 0 || word >> 20 == 0x833),
        0x73 => word == 0x73,
        _ => false,
    }
}

#[test]
fn every_combination_of_function_fields_decodes_strictly_and_without_loss() {
    println!("seed {SEED:#x}");
    let mut rng = StdRng::seed_from_u64(SEED);
    for fields in 0..1_u32 << 17 {
        let shape = (fields & 0x7f) | (fields >> 7 & 7) << 12 | (fields >> 10) << 25;
        for operands in [0, 0x01ff_8f80, rng.random::<u32>() & 0x01ff_8f80] {
            let word = shape | operands;
            let inst = decode(word);
            assert_eq!(inst.is_some(), is_rv32im(word), "{word:#010x} decodes to {inst:?}");
            if let Some(inst) = inst {
                assert_eq!(encode(inst), word, "{inst}");
            }
        }
    }
}

/// The immediates a format can hold.
fn immediates(format: Format) -> Vec<i32> {
    match format {
        Format::R | Format::Ecall => vec![0],
        Format::I | Format::S => (-2048..2048).collect(),
        Format::Shift => (0..32).collect(),
        Format::B => (-4096..4096).step_by(2).collect(),
        Format::U => (i32::MIN >> 12..=i32::MAX >> 12).step_by(61).map(|upper| upper << 12).collect(),
        Format::J => (-(1 << 20)..1 << 20).step_by(2).collect(),
        Format::Fence => (0..256).collect(),
    }
}

#[test]
fn encoding_then_decoding_gives_the_instruction_back() {
    println!("seed {SEED:#x}");
    let mut rng = StdRng::seed_from_u64(SEED);
    for &op in Op::ALL {
        for imm in immediates(op.format()) {
            let mut register = || rng.random_range(0..32_u8);
            let (rd, rs1, rs2) = (register(), register(), register());
            let inst = match op.format() {
                Format::R => Inst::new(op, rd, rs1, rs2, imm),
                Format::I | Format::Shift => Inst::new(op, rd, rs1, 0, imm),
                Format::S | Format::B => Inst::new(op, 0, rs1, rs2, imm),
                Format::U | Format::J => Inst::new(op, rd, 0, 0, imm),
                Format::Fence | Format::Ecall => Inst::new(op, 0, 0, 0, imm),
            };
            assert_eq!(decode(encode(inst)), Some(inst), "{inst}");
        }
    }
}

#[test]
fn the_table_is_consistent() {
    for (index, &op) in Op::ALL.iter().enumerate() {
        assert_eq!(op as usize, index, "{op}");
        assert_eq!(op.width() > 0, op.is_load() || op.is_store(), "{op}");
        assert_eq!(Op::ALL.iter().filter(|other| other.name() == op.name()).count(), 1, "{op}");
    }
    assert_eq!(Op::ALL.len(), 47);
    assert_eq!(size_of::<Inst>(), 8);
    assert_eq!(size_of::<Option<Inst>>(), 8);
}

#[test]
fn division_and_high_products_follow_the_manual() {
    const MIN: u32 = 0x8000_0000;
    const M1: u32 = u32::MAX;
    let expected = [
        (Op::Div, 7, 0, M1),
        (Op::Div, MIN, M1, MIN),
        (Op::Div, -7_i32 as u32, 2, -3_i32 as u32),
        (Op::Divu, 7, 0, M1),
        (Op::Divu, MIN, M1, 0),
        (Op::Rem, 7, 0, 7),
        (Op::Rem, MIN, M1, 0),
        (Op::Rem, -7_i32 as u32, 2, M1),
        (Op::Rem, 7, -2_i32 as u32, 1),
        (Op::Remu, MIN, 0, MIN),
        (Op::Remu, MIN, M1, MIN),
        (Op::Mulh, MIN, MIN, 0x4000_0000),
        (Op::Mulh, M1, M1, 0),
        (Op::Mulhsu, M1, M1, M1),
        (Op::Mulhsu, MIN, M1, MIN),
        (Op::Mulhu, M1, M1, 0xffff_fffe),
        (Op::Sra, MIN, 33, 0xc000_0000),
        (Op::Srl, MIN, 32, MIN),
        (Op::Sll, 1, 63, MIN),
        (Op::Sltiu, 5, M1, 1),
        (Op::Slt, MIN, 0, 1),
        (Op::Bgeu, MIN, 0, 1),
        (Op::Bge, MIN, 0, 0),
        (Op::Lui, 1, 2, 2),
    ];
    for (op, a, b, result) in expected {
        assert_eq!(alu(op, a, b), result, "{op} {a:#x}, {b:#x}");
    }
    assert_eq!(extend(Op::Lb, 0x1234_5680), 0xffff_ff80);
    assert_eq!(extend(Op::Lbu, 0x1234_5680), 0x80);
    assert_eq!(extend(Op::Lh, 0x1234_8765), 0xffff_8765);
    assert_eq!(extend(Op::Lhu, 0x1234_8765), 0x8765);
}
