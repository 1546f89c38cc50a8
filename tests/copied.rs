//! A copy of a folder, as a file copier makes it: for tests and benches.

use std::fs;
use std::path::Path;

pub(crate) fn copy_all(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for item in fs::read_dir(from).expect("a folder").map(|item| item.expect("an item")) {
        let there = to.join(item.file_name());
        if item.path().is_dir() {
            copy_all(&item.path(), &there);
        } else {
            fs::copy(item.path(), there).expect("a copy");
        }
    }
}
