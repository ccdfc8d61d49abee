//! Reading programs and inputs, and writing files whole.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use trilemma_frontends::riscv::elf::Program;

use crate::fault::Fault;

/// Where a program's private input comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    /// There is none.
    #[default]
    Empty,
    /// The bytes of a file.
    File(PathBuf),
    /// Hexadecimal digits.
    Hex(String),
    /// A number as four bytes, little-endian: the size parameter of the guests here.
    U32(u32),
}

impl Input {
    /// The bytes.
    pub fn bytes(&self) -> Result<Vec<u8>, Fault> {
        match self {
            Self::Empty => Ok(Vec::new()),
            Self::File(path) => read(path).map_err(|fault| fault.about("input")),
            Self::Hex(digits) => hex::decode(digits.strip_prefix("0x").unwrap_or(digits))
                .map_err(|error| Fault::Usage(format!("input: not hexadecimal: {error}"))),
            Self::U32(n) => Ok(n.to_le_bytes().to_vec()),
        }
    }
}

/// The bytes of a file.
pub fn read(path: &Path) -> Result<Vec<u8>, Fault> {
    fs::read(path).map_err(|error| Fault::file(path, &error))
}

/// The text of a file.
pub fn read_text(path: &Path) -> Result<String, Fault> {
    fs::read_to_string(path).map_err(|error| Fault::file(path, &error))
}

/// BLAKE3 of a file.
pub fn digest(path: &Path) -> Result<String, Fault> {
    Ok(blake3::hash(&read(path)?).to_hex().to_string())
}

/// The program in an ELF file.
pub fn program(path: &Path) -> Result<Program, Fault> {
    let bytes = read(path)?;
    Program::from_elf(&bytes).map_err(|error| Fault::Failed(format!("{}: {error}", path.display())))
}

/// Finds before long work that a file could not be written after it.
pub fn check_directory(path: &Path) -> Result<(), Fault> {
    let parent = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if parent.is_dir() {
        return Ok(());
    }
    Err(Fault::Usage(format!("{}: {} is no directory", path.display(), parent.display())))
}

/// Writes a file so that a crash leaves either the old one or the new one.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), Fault> {
    write_whole(path, bytes).map_err(|error| Fault::file(path, &error))
}

fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // A device or a pipe cannot be renamed over.
    if path.exists() && !path.is_file() {
        return fs::write(path, bytes);
    }
    let mut name = path.as_os_str().to_owned();
    name.push(".tmp");
    let tmp = PathBuf::from(name);
    let mut file = File::create(&tmp)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&tmp, path)
}
