//! The guest's memory: 2^32 bytes, zero until written, handled as aligned words.

use super::elf::Program;

/// The first legal address of RAM.
pub const RAM_START: u32 = 0x1000;
/// The first address past RAM.
pub const RAM_END: u32 = 0xFFFF_0000;

const PAGE_BITS: u32 = 16;
const PAGES: usize = 1 << (32 - PAGE_BITS);
const PAGE_WORDS: usize = 1 << (PAGE_BITS - 2);

type Page = [u32; PAGE_WORDS];

/// Whether `len` bytes at `addr` (given before any reduction modulo 2^32) lie in RAM.
#[inline(always)]
pub const fn in_ram(addr: i64, len: u32) -> bool {
    // One comparison: an address below RAM_START becomes huge as unsigned. No access is longer than RAM, or it fails.
    let room = (RAM_END - RAM_START) as i64 - len as i64;
    room >= 0 && (addr - RAM_START as i64) as u64 <= room as u64
}

/// A page table whose pages are allocated when first written.
#[derive(Debug)]
pub struct Memory {
    pages: Box<[Option<Box<Page>>; PAGES]>,
}

impl Memory {
    /// Memory of zeros.
    pub fn zeroed() -> Memory {
        Memory { pages: boxed(vec![None; PAGES]) }
    }

    /// Memory holding a program's initial image.
    pub fn of(program: &Program) -> Memory {
        let mut memory = Memory::zeroed();
        for &(addr, word) in &program.image {
            memory.set_word(addr, word);
        }
        memory
    }

    /// The aligned word that contains the byte at `addr`.
    #[inline(always)]
    pub fn word(&self, addr: u32) -> u32 {
        match &self.pages[(addr >> PAGE_BITS) as usize] {
            Some(page) => page[offset(addr)],
            None => 0,
        }
    }

    /// Replaces the aligned word that contains the byte at `addr`.
    #[inline(always)]
    pub fn set_word(&mut self, addr: u32, word: u32) {
        let page = &mut self.pages[(addr >> PAGE_BITS) as usize];
        match page {
            Some(page) => page[offset(addr)] = word,
            None => fresh(page)[offset(addr)] = word,
        }
    }

    /// The byte at `addr`.
    pub fn byte(&self, addr: u32) -> u8 {
        (self.word(addr) >> shift(addr)) as u8
    }
}

/// The word with the byte at `addr` replaced.
pub const fn with_byte(word: u32, addr: u32, byte: u8) -> u32 {
    word & !(0xff << shift(addr)) | (byte as u32) << shift(addr)
}

/// The position of the byte at `addr` in its aligned word, in bits.
#[inline(always)]
pub const fn shift(addr: u32) -> u32 {
    (addr & 3) * 8
}

#[inline(always)]
const fn offset(addr: u32) -> usize {
    (addr >> 2) as usize % PAGE_WORDS
}

#[cold]
fn fresh(page: &mut Option<Box<Page>>) -> &mut Page {
    page.insert(boxed(vec![0; PAGE_WORDS]))
}

/// A boxed array from a vector of exactly its length.
fn boxed<T, const N: usize>(items: Vec<T>) -> Box<[T; N]> {
    items.into_boxed_slice().try_into().unwrap_or_else(|_| unreachable!("the vector has the array's length"))
}
