//! The bytes of a file, shared by all disks that hold them, and a number for them, which is worked out once.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Deref;
use std::sync::OnceLock;

#[derive(Default)]
pub(super) struct Content {
    bytes: Vec<u8>,
    print: OnceLock<u64>,
}

impl From<Vec<u8>> for Content {
    fn from(bytes: Vec<u8>) -> Self {
        Self { bytes, print: OnceLock::new() }
    }
}

impl Deref for Content {
    type Target = Vec<u8>;

    fn deref(&self) -> &Vec<u8> {
        &self.bytes
    }
}

impl Hash for Content {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        let print = || {
            let mut hasher = DefaultHasher::new();
            self.bytes.hash(&mut hasher);
            hasher.finish()
        };
        hasher.write_u64(*self.print.get_or_init(print));
    }
}
