//! Texts that are committed beside the tests, so that a change of what they describe is reviewed as a
//! difference of text.

use std::path::{Path, PathBuf};

/// Asserts that a folder of `tests/` holds exactly these texts; with `UPDATE_SHAPES=1`, writes them and panics.
pub fn assert_committed(folder: &str, texts: impl IntoIterator<Item = (&'static str, String)>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder);
    let update = std::env::var_os("UPDATE_SHAPES").is_some_and(|value| value == "1");
    let mut names = Vec::new();
    for (name, text) in texts {
        let path = folder.join(format!("{}.txt", name.replace(' ', "-")));
        names.push(path.clone());
        if update {
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(&path, text).unwrap();
            continue;
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        let changed = text.lines().zip(committed.lines()).find(|(new, old)| new != old);
        assert!(
            text == committed,
            "{} differs; first change {changed:?}; if it is meant, run with UPDATE_SHAPES=1",
            path.display()
        );
    }
    assert!(!update, "{}: written; run again without UPDATE_SHAPES", folder.display());
    let files = std::fs::read_dir(&folder).unwrap();
    let stray: Vec<PathBuf> = files.map(|f| f.unwrap().path()).filter(|p| !names.contains(p)).collect();
    assert!(stray.is_empty(), "no table has these: {stray:?}");
}
