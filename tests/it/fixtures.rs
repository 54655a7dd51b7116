//! The bodies of `fixtures/`, for every test that needs some.

use std::path::{Path, PathBuf};

/// A body with the name of its file.
pub struct Fixture {
    pub name: String,
    pub body: Vec<u8>,
}

/// The 27 bodies of the supplier's document.
pub fn seeds() -> Vec<Fixture> {
    folder("bt-wholesale")
}

/// Shapes that the document implies but does not print.
pub fn variants() -> Vec<Fixture> {
    folder("bt-wholesale-variants")
}

/// A body of the document by its number there.
pub fn seed(number: usize) -> Vec<u8> {
    let prefix = format!("{number:02}-");
    seeds().into_iter().find(|seed| seed.name.starts_with(&prefix)).unwrap().body
}

fn folder(name: &str) -> Vec<Fixture> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name);
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    let fixture = |file: PathBuf| Fixture {
        name: file.file_stem().unwrap().to_str().unwrap().to_owned(),
        body: std::fs::read(&file).unwrap(),
    };
    files.into_iter().map(fixture).collect()
}
