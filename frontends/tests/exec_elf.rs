//! Loading: every refusal, what becomes code and image, and files damaged anywhere.

use std::path::Path;

use object::elf;
use trilemma_frontends::riscv::elf::{Code, ElfError, Program, elf_of_words};
use trilemma_frontends::riscv::exec::{ExecError, Silent, TrapReason, execute};
use trilemma_frontends::riscv::isa::{Inst, Op, encode};
use trilemma_frontends::riscv::memory::{RAM_END, RAM_START};

const BASE: u32 = 0x1_0000;
const NOP: u32 = 0x13;
const RX: u32 = elf::PF_R | elf::PF_X;
const RW: u32 = elf::PF_R | elf::PF_W;
const RWX: u32 = RX | RW;

/// A segment: address, flags, bytes in the file, further bytes of zeros.
type Segment<'a> = (u32, u32, &'a [u8], u32);
/// A section: address, size, type, flags.
type Section = (u32, u32, u32, u32);

/// An executable with the given segments and sections.
fn build(entry: u32, segments: &[Segment<'_>], sections: &[Section]) -> Vec<u8> {
    let mut content: Vec<u8> = Vec::new();
    let mut headers = Vec::new();
    let start = 52 + 32 * segments.len() as u32;
    for &(addr, flags, bytes, zeros) in segments {
        let offset = start + content.len() as u32;
        let size = bytes.len() as u32;
        headers.extend([elf::PT_LOAD, offset, addr, addr, size, size + zeros, flags, 1]);
        content.extend(bytes);
    }
    let section_offset = if sections.is_empty() { 0 } else { start + content.len() as u32 };
    let count = if sections.is_empty() { 0 } else { sections.len() as u16 + 1 };
    let mut file = b"\x7fELF\x01\x01\x01".to_vec();
    file.resize(16, 0);
    file.extend([elf::ET_EXEC, elf::EM_RISCV].map(u16::to_le_bytes).concat());
    file.extend([1, entry, 52, section_offset, 0].map(u32::to_le_bytes).concat());
    file.extend([52, 32, segments.len() as u16, 40, count, 0].map(u16::to_le_bytes).concat());
    file.extend(headers.into_iter().flat_map(u32::to_le_bytes));
    file.extend(content);
    let null = if sections.is_empty() { &[][..] } else { &[(0, 0, elf::SHT_NULL, 0)] };
    for &(addr, size, kind, flags) in null.iter().chain(sections) {
        file.extend([0, kind, flags, addr, 0, size, 0, 0, 1, 0].map(u32::to_le_bytes).concat());
    }
    file
}

fn bytes(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// The error of a valid file with the bytes at an offset replaced.
fn damaged(offset: usize, patch: &[u8]) -> ElfError {
    let mut file = elf_of_words(BASE, &[NOP]);
    file[offset..offset + patch.len()].copy_from_slice(patch);
    Program::from_elf(&file).unwrap_err()
}

#[test]
fn files_that_are_no_rv32im_executable() {
    assert_eq!(Program::from_elf(b""), Err(ElfError::NotElf));
    assert_eq!(Program::from_elf(b"\x7fELF"), Err(ElfError::NotElf));
    assert_eq!(Program::from_elf(b"#!/bin/sh"), Err(ElfError::NotElf));
    assert_eq!(damaged(0, b"\x7fELG"), ElfError::NotElf);
    assert_eq!(damaged(4, &[elf::ELFCLASS64]), ElfError::Not32Bit);
    assert_eq!(damaged(5, &[elf::ELFDATA2MSB]), ElfError::NotLittleEndian);
    assert_eq!(damaged(16, &[3]), ElfError::NotStatic { kind: elf::ET_DYN });
    assert_eq!(damaged(16, &[1]), ElfError::NotStatic { kind: elf::ET_REL });
    assert_eq!(damaged(18, &[40, 0]), ElfError::NotRiscv { machine: elf::EM_ARM });
    assert_eq!(damaged(36, &[1]), ElfError::Compressed);
    assert_eq!(damaged(36, &[2]), ElfError::FloatAbi { abi: "single" });
    assert_eq!(damaged(36, &[4]), ElfError::FloatAbi { abi: "double" });
    assert_eq!(damaged(36, &[8]), ElfError::Embedded);
    assert_eq!(damaged(52, &[6]), ElfError::NoLoadSegment);
    assert_eq!(damaged(52, &[3]), ElfError::Interpreter);
    assert_eq!(ElfError::Compressed.to_string(), "compiled with the C extension; rebuild with -march=rv32im");
}

#[test]
fn segments_that_do_not_fit() {
    let outside = |start, end| Err(ElfError::OutsideRam { start, end });
    let program = |segments: &[Segment<'_>]| Program::from_elf(&build(BASE, segments, &[]));
    let code = bytes(&[NOP]);
    assert_eq!(program(&[(0xfff, RX, &code, 0)]), outside(0xfff, 0x1003));
    assert_eq!(program(&[(RAM_END - 4, RX, &code, 1)]), outside(0xfffe_fffc, 0xffff_0001));
    assert_eq!(program(&[(u32::MAX, RX, &code, 8)]), outside(0xffff_ffff, 0x1_0000_000b));
    let overlap = program(&[(BASE, RX, &code, 0), (BASE - 8, RW, &[], 9)]);
    assert_eq!(overlap, Err(ElfError::Overlap { first: BASE - 8, second: BASE }));
    assert!(program(&[(BASE, RX, &code, 0), (BASE - 8, RW, &[], 8)]).is_ok());
    assert!(program(&[(BASE, RX, &code, 0), (RAM_START, RW, &[], 8), (RAM_END - 1, RW, &[7], 0)]).is_ok());
    // More bytes in the file than in memory; bytes beyond the end of the file.
    assert!(matches!(damaged(52 + 20, &[3]), ElfError::Malformed(_)));
    assert!(matches!(damaged(52 + 4, &[85]), ElfError::Malformed(_)));
    assert!(matches!(damaged(44, &[9]), ElfError::Malformed(_)));
}

#[test]
fn entry_points() {
    let at =
        |entry| Program::from_elf(&build(entry, &[(BASE, RX, &bytes(&[NOP; 2]), 8), (0x2_0000, RW, &[0; 8], 0)], &[]));
    assert_eq!(at(BASE + 4).unwrap().entry, BASE + 4);
    assert_eq!(at(BASE + 2), Err(ElfError::MisalignedEntry { entry: BASE + 2 }));
    for entry in [BASE - 4, BASE + 8, 0x2_0000, 0] {
        assert_eq!(at(entry), Err(ElfError::EntryNotInCode { entry }));
    }
}

#[test]
fn image_words_are_aligned_and_padded_with_zeros() {
    let segments: &[Segment<'_>] = &[
        (0x2_0003, RW, &[1, 2, 3], 100),
        (BASE, RX, &bytes(&[NOP]), 0),
        (0x2_0000, RW, &[9], 1),
        (0x3_0001, RW, &[0, 5], 0),
    ];
    let file = build(BASE, segments, &[]);
    let program = Program::from_elf(&file).unwrap();
    let image = [(BASE, NOP), (0x2_0000, 0x0100_0009), (0x2_0004, 0x0302), (0x3_0000, 0x0005_0000)];
    assert_eq!(program.image, image);
    assert_eq!(program.code, [Code { base: BASE, words: vec![NOP] }]);
    assert_eq!(program.digest, *blake3::hash(&file).as_bytes());
    // The headers need no alignment in memory.
    let shifted = [&[0], &file[..]].concat();
    assert_eq!(Program::from_elf(&shifted[1..]), Ok(program));
}

#[test]
fn code_is_the_executable_sections_of_executable_segments() {
    let exec = elf::SHF_ALLOC | elf::SHF_EXECINSTR;
    let progbits = elf::SHT_PROGBITS;
    let words: Vec<u32> = (0..8).map(|i| NOP | i << 20).collect();
    let data = bytes(&words);
    let segments: &[Segment<'_>] = &[(BASE, RWX, &data, 0x1000), (0x4_0000, RW, &data, 0)];
    let code = |sections: &[Section]| {
        let program = Program::from_elf(&build(BASE, segments, sections)).unwrap();
        program.code.iter().map(|code| (code.base, code.end())).collect::<Vec<_>>()
    };
    assert_eq!(code(&[]), [(BASE, BASE + 32)], "without sections, what the file fills");
    assert_eq!(code(&[(BASE, 32, progbits, elf::SHF_ALLOC)]), [(BASE, BASE + 32)], "no executable section");
    assert_eq!(code(&[(BASE, 8, progbits, exec)]), [(BASE, BASE + 8)]);
    let two = [(BASE + 16, 8, progbits, exec), (BASE, 8, progbits, exec), (0x4_0000, 8, progbits, exec)];
    assert_eq!(code(&two), [(BASE, BASE + 8), (BASE + 16, BASE + 24)], "not in the data segment");
    let ragged = [(BASE, 4, progbits, exec), (BASE + 6, 7, progbits, exec)];
    assert_eq!(code(&ragged), [(BASE, BASE + 4), (BASE + 8, BASE + 12)], "only whole words");
    let adjacent = [(BASE, 6, progbits, exec), (BASE + 6, 7, progbits, exec)];
    assert_eq!(code(&adjacent), [(BASE, BASE + 12)], "joined, and only whole words");
    let beyond = [(BASE, 0xffff_fff0, progbits, exec), (BASE + 64, 8, elf::SHT_NOBITS, exec)];
    assert_eq!(code(&beyond), [(BASE, BASE + 32)], "cut to the segment");
    let program = Program::from_elf(&build(BASE, segments, &two)).unwrap();
    assert_eq!(program.code[1].words, &words[4..6]);
}

#[test]
fn execution_crosses_ranges_of_code_and_writes_between_them() {
    let far = 0x9000_0000;
    let inst = |op, rd, rs1, rs2, imm| encode(Inst::new(op, rd, rs1, rs2, imm));
    let first = bytes(&[
        inst(Op::Lui, 5, 0, 0, far as i32),
        inst(Op::Addi, 10, 0, 0, 5),
        inst(Op::Jalr, 1, 5, 0, 0),
        inst(Op::Sw, 0, 5, 10, -4),
        inst(Op::Addi, 17, 0, 0, 93),
        inst(Op::Ecall, 0, 0, 0, 0),
    ]);
    let second = bytes(&[inst(Op::Addi, 10, 10, 0, 1), inst(Op::Jalr, 0, 1, 0, 0)]);
    let program = Program::from_elf(&build(BASE, &[(far, RX, &second, 0), (BASE, RX, &first, 0)], &[])).unwrap();
    let outcome = execute(&program, &[], 99, &mut Silent).unwrap();
    assert_eq!((outcome.exit_code, outcome.cycles), (6, 8));

    let touching = bytes(&[inst(Op::Addi, 10, 10, 0, 1), inst(Op::Sw, 0, 5, 10, -3)]);
    let program = Program::from_elf(&build(BASE, &[(far, RX, &touching, 0), (BASE, RX, &first, 0)], &[])).unwrap();
    let reason = TrapReason::StoreToCode { addr: far - 3, len: 4 };
    assert_eq!(execute(&program, &[], 99, &mut Silent), Err(ExecError::Trap { pc: far + 4, cycle: 4, reason }));
}

/// Loads what may be a program and runs it for a while; neither may panic.
fn survives(file: &[u8]) {
    if let Ok(program) = Program::from_elf(file) {
        let _ = execute(&program, &[1, 0, 0, 0], 2000, &mut Silent);
    }
}

#[test]
fn damaged_files_do_not_panic() {
    let words = [NOP, 0x0000_006f];
    let exec = elf::SHF_ALLOC | elf::SHF_EXECINSTR;
    let sections = [(BASE, 8, elf::SHT_PROGBITS, exec)];
    let mut files = vec![build(BASE, &[(BASE, RWX, &bytes(&words), 8), (0x2_0001, RW, &[1; 9], 0)], &sections)];
    let guest = Path::new(env!("CARGO_MANIFEST_DIR")).join("guests/elf/fibonacci.elf");
    match std::fs::read(guest) {
        Ok(file) => files.push(file),
        Err(_) => println!("skipped fibonacci: there is no such guest"),
    }
    for file in files {
        for len in (0..file.len()).step_by(1 + file.len() / 500) {
            survives(&file[..len]);
        }
        // The file and program headers, the first instructions, and the section headers at the end.
        let tail = file.len().saturating_sub(400);
        for at in (0..file.len().min(256)).chain(tail..file.len()) {
            for flip in [0x01, 0x10, 0x80, 0xff] {
                let mut file = file.clone();
                file[at] ^= flip;
                survives(&file);
            }
        }
    }
}
