//! Programs: statically linked RV32IM executables in ELF.
//!
//! Loading keeps what an execution starts from: the entry point, the file's bytes in memory as aligned words, and which
//! of those words are code. Code is fixed: instructions are fetched from the initial image, and stores to it trap.
//! What counts as code is the executable sections where the file has section headers, because a linker script may
//! put code and data into one segment that is readable, writable and executable; otherwise the executable segments.

use std::ops::Range;

use object::LittleEndian;
use object::elf;
use object::read::elf::{FileHeader as _, ProgramHeader as _};
use thiserror::Error;

use super::memory::{RAM_END, RAM_START};

type Header = elf::FileHeader32<LittleEndian>;
const LE: LittleEndian = LittleEndian;

/// Why a file is not a program that can be executed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ElfError {
    /// The magic number is missing.
    #[error("not an ELF file")]
    NotElf,
    /// The file's class is not ELFCLASS32.
    #[error("not a 32-bit ELF file; rebuild for rv32im")]
    Not32Bit,
    /// The file's byte order is not little-endian.
    #[error("not a little-endian ELF file")]
    NotLittleEndian,
    /// The file is for another processor.
    #[error("not a RISC-V ELF file (machine {machine})")]
    NotRiscv {
        /// The `e_machine` field.
        machine: u16,
    },
    /// The file is an object, a shared object or a position-independent executable.
    #[error("not a static executable at a fixed address (ELF type {kind}); link with -static -no-pie")]
    NotStatic {
        /// The `e_type` field.
        kind: u16,
    },
    /// The file asks for a dynamic linker.
    #[error("needs a dynamic linker; link with -static -no-pie")]
    Interpreter,
    /// The code uses 16-bit instructions.
    #[error("compiled with the C extension; rebuild with -march=rv32im")]
    Compressed,
    /// The calling convention passes floating-point registers.
    #[error("compiled for the {abi}-precision hardware floating-point ABI; rebuild with -march=rv32im -mabi=ilp32")]
    FloatAbi {
        /// The precision the ABI names.
        abi: &'static str,
    },
    /// The code is for the 16-register base.
    #[error("compiled for the embedded base RV32E; rebuild with -march=rv32im -mabi=ilp32")]
    Embedded,
    /// A header points outside the file or contradicts another.
    #[error("malformed ELF file: {0}")]
    Malformed(String),
    /// There is nothing to load.
    #[error("no loadable segment")]
    NoLoadSegment,
    /// Two segments claim the same bytes of memory.
    #[error("the segments at {first:#010x} and {second:#010x} overlap")]
    Overlap {
        /// The start of the lower segment.
        first: u32,
        /// The start of the higher segment.
        second: u32,
    },
    /// A segment reaches outside RAM.
    #[error("the segment {start:#x}..{end:#x} is outside the legal address range {RAM_START:#x}..{RAM_END:#x}")]
    OutsideRam {
        /// The segment's first address.
        start: u64,
        /// The first address past it.
        end: u64,
    },
    /// The entry point is not a multiple of 4.
    #[error("the entry point {entry:#010x} is not 4-aligned")]
    MisalignedEntry {
        /// The entry point.
        entry: u32,
    },
    /// The entry point is not in executable code.
    #[error("the entry point {entry:#010x} is not in executable code")]
    EntryNotInCode {
        /// The entry point.
        entry: u32,
    },
}

impl From<object::read::Error> for ElfError {
    fn from(error: object::read::Error) -> Self {
        ElfError::Malformed(error.to_string())
    }
}

/// A contiguous range of code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code {
    /// The address of the first word, a multiple of 4.
    pub base: u32,
    /// The words in order, whether or not they decode.
    pub words: Vec<u32>,
}

impl Code {
    /// The first address past the range.
    pub fn end(&self) -> u32 {
        self.base + 4 * self.words.len() as u32
    }
}

/// What an execution starts from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// The first pc, a multiple of 4 inside the code.
    pub entry: u32,
    /// The ranges of code, ascending, disjoint and not adjacent. Their words are in `image` too.
    pub code: Vec<Code>,
    /// The words that the file puts in memory, code included, as (address, word), ascending. Every address is a
    /// multiple of 4, bytes of a word that no segment covers are zero, and all other memory (bss too) is zero.
    pub image: Vec<(u32, u32)>,
    /// BLAKE3 of the file.
    pub digest: [u8; 32],
}

/// A loadable segment.
struct Segment<'f> {
    start: u32,
    end: u32,
    executable: bool,
    bytes: &'f [u8],
}

impl Segment<'_> {
    /// The addresses that the file's bytes occupy.
    fn filled(&self) -> Range<u32> {
        self.start..self.start + self.bytes.len() as u32
    }
}

impl Program {
    /// Loads an executable.
    pub fn from_elf(bytes: &[u8]) -> Result<Program, ElfError> {
        let header = checked_header(bytes)?;
        let segments = load_segments(header, bytes)?;
        let image = image_of(&segments);
        let code = code_ranges(header, bytes, &segments)?
            .into_iter()
            .map(|range| {
                let from = image.partition_point(|&(addr, _)| addr < range.start);
                let words = image[from..].iter().take_while(|&&(addr, _)| addr < range.end).map(|&(_, word)| word);
                Code { base: range.start, words: words.collect() }
            })
            .collect::<Vec<_>>();
        let entry = header.e_entry.get(LE);
        if !entry.is_multiple_of(4) {
            return Err(ElfError::MisalignedEntry { entry });
        }
        if !code.iter().any(|range| (range.base..range.end()).contains(&entry)) {
            return Err(ElfError::EntryNotInCode { entry });
        }
        Ok(Program { entry, code, image, digest: blake3::hash(bytes).into() })
    }

    /// A program of the given words at `base`, which is also its entry point.
    pub fn from_words(base: u32, words: &[u32]) -> Result<Program, ElfError> {
        Program::from_elf(&elf_of_words(base, words))
    }
}

/// The smallest executable holding the given words: one segment at `base`, readable and executable, no sections.
pub fn elf_of_words(base: u32, words: &[u32]) -> Vec<u8> {
    const HEADERS: u32 = 52 + 32;
    let size = 4 * words.len() as u32;
    let mut file = b"\x7fELF\x01\x01\x01".to_vec();
    file.resize(16, 0);
    file.extend([elf::ET_EXEC, elf::EM_RISCV].map(u16::to_le_bytes).concat());
    file.extend([1, base, 52, 0, 0].map(u32::to_le_bytes).concat());
    file.extend([52_u16, 32, 1, 40, 0, 0].map(u16::to_le_bytes).concat());
    let segment = [elf::PT_LOAD, HEADERS, base, base, size, size, elf::PF_R | elf::PF_X, 4];
    file.extend(segment.map(u32::to_le_bytes).concat());
    file.extend(words.iter().flat_map(|word| word.to_le_bytes()));
    file
}

/// The file's header, once it is known to be one of a static RV32IM executable.
fn checked_header(bytes: &[u8]) -> Result<&Header, ElfError> {
    if !bytes.starts_with(&elf::ELFMAG) {
        return Err(ElfError::NotElf);
    }
    match (bytes.get(4), bytes.get(5)) {
        (Some(&elf::ELFCLASS32), Some(&elf::ELFDATA2LSB)) => {}
        (Some(&elf::ELFCLASS32), Some(_)) => return Err(ElfError::NotLittleEndian),
        (Some(_), _) => return Err(ElfError::Not32Bit),
        (None, _) => return Err(ElfError::NotElf),
    }
    let header = Header::parse(bytes)?;
    let machine = header.e_machine.get(LE);
    if machine != elf::EM_RISCV {
        return Err(ElfError::NotRiscv { machine });
    }
    let kind = header.e_type.get(LE);
    if kind != elf::ET_EXEC {
        return Err(ElfError::NotStatic { kind });
    }
    let flags = header.e_flags.get(LE);
    if flags & elf::EF_RISCV_RVC != 0 {
        return Err(ElfError::Compressed);
    }
    if flags & elf::EF_RISCV_RVE != 0 {
        return Err(ElfError::Embedded);
    }
    match flags & elf::EF_RISCV_FLOAT_ABI {
        elf::EF_RISCV_FLOAT_ABI_SOFT => Ok(header),
        elf::EF_RISCV_FLOAT_ABI_SINGLE => Err(ElfError::FloatAbi { abi: "single" }),
        elf::EF_RISCV_FLOAT_ABI_DOUBLE => Err(ElfError::FloatAbi { abi: "double" }),
        _ => Err(ElfError::FloatAbi { abi: "quad" }),
    }
}

/// The non-empty loadable segments, ascending, inside RAM and disjoint.
fn load_segments<'f>(header: &Header, file: &'f [u8]) -> Result<Vec<Segment<'f>>, ElfError> {
    let mut segments = Vec::new();
    for segment in header.program_headers(LE, file)? {
        let kind = segment.p_type.get(LE);
        if kind == elf::PT_INTERP {
            return Err(ElfError::Interpreter);
        }
        let size = segment.p_memsz.get(LE);
        if kind != elf::PT_LOAD || size == 0 {
            continue;
        }
        let start = segment.p_vaddr.get(LE);
        let past = u64::from(start) + u64::from(size);
        if start < RAM_START || past > u64::from(RAM_END) {
            return Err(ElfError::OutsideRam { start: start.into(), end: past });
        }
        if segment.p_filesz.get(LE) > size {
            return Err(ElfError::Malformed(format!(
                "the segment at {start:#010x} is larger in the file than in memory"
            )));
        }
        let bytes = segment.data(LE, file).map_err(|()| {
            ElfError::Malformed(format!("the bytes of the segment at {start:#010x} are not all in the file"))
        })?;
        let executable = segment.p_flags.get(LE) & elf::PF_X != 0;
        segments.push(Segment { start, end: start + size, executable, bytes });
    }
    if segments.is_empty() {
        return Err(ElfError::NoLoadSegment);
    }
    segments.sort_by_key(|segment| segment.start);
    match segments.windows(2).find(|pair| pair[0].end > pair[1].start) {
        Some(pair) => Err(ElfError::Overlap { first: pair[0].start, second: pair[1].start }),
        None => Ok(segments),
    }
}

/// The file's bytes in memory as aligned words. Segments that meet inside a word share it.
fn image_of(segments: &[Segment<'_>]) -> Vec<(u32, u32)> {
    let mut image: Vec<(u32, u32)> = Vec::new();
    for segment in segments {
        let mut addr = segment.start;
        let mut rest = segment.bytes;
        while !rest.is_empty() {
            let skipped = (addr % 4) as usize;
            let (head, tail) = rest.split_at(rest.len().min(4 - skipped));
            let mut word = [0; 4];
            word[skipped..skipped + head.len()].copy_from_slice(head);
            let word = u32::from_le_bytes(word);
            let base = addr - addr % 4;
            match image.last_mut() {
                Some((last, shared)) if *last == base => *shared |= word,
                _ => image.push((base, word)),
            }
            addr += head.len() as u32;
            rest = tail;
        }
    }
    image
}

/// The ranges of whole words that are code, ascending, disjoint and not adjacent.
fn code_ranges(header: &Header, file: &[u8], segments: &[Segment<'_>]) -> Result<Vec<Range<u32>>, ElfError> {
    let executable: Vec<Range<u32>> = segments.iter().filter(|s| s.executable).map(Segment::filled).collect();
    let mut pieces = Vec::new();
    for section in header.section_headers(LE, file)? {
        let wanted = elf::SHF_ALLOC | elf::SHF_EXECINSTR;
        if section.sh_flags.get(LE) & wanted != wanted || section.sh_type.get(LE) == elf::SHT_NOBITS {
            continue;
        }
        let start = section.sh_addr.get(LE);
        let end = start.saturating_add(section.sh_size.get(LE));
        pieces.extend(executable.iter().map(|range| start.max(range.start)..end.min(range.end)));
    }
    pieces.retain(|range| !range.is_empty());
    if pieces.is_empty() {
        pieces = executable;
    }
    pieces.sort_by_key(|range| range.start);
    let mut joined: Vec<Range<u32>> = Vec::new();
    for piece in pieces {
        match joined.last_mut() {
            Some(last) if piece.start <= last.end => last.end = last.end.max(piece.end),
            _ => joined.push(piece),
        }
    }
    // A word that is code only in part cannot be fetched.
    let whole = joined.into_iter().map(|range| range.start.next_multiple_of(4)..range.end & !3);
    Ok(whole.filter(|range| !range.is_empty()).collect())
}
