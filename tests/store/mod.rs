//! The store: one contract that both disks keep, and what only a machine can show.

mod contract;
mod machine;

use amparo::store::RelPath;

fn path(text: &str) -> RelPath {
    RelPath::parse(text).expect("a path of this test")
}
