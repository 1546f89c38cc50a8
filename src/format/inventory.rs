//! The inventory of one sealing: what every member may know of each exhibit. Fixed-size rows, and beside each the
//! hashes of its blobs. On disk it is a blob, an age file to the custody key.

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::document::{Document, DocumentError};
use super::ids::{KeyId, LogId, VaultId};
use crate::crypto::hash::{Hash, frame};
use crate::crypto::merkle;

/// The length of a row, in bytes.
pub const ROW_BYTES: usize = 128;

/// One exhibit, as everybody who verifies knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The log it was sealed in.
    pub log: LogId,
    /// Its number in that log, from 1.
    pub number: u64,
    /// The content key its blobs are encrypted to.
    pub key: KeyId,
    /// The root of its record's tree.
    pub record_root: Hash,
    /// How many leaves that tree has.
    pub record_leaves: u32,
    /// How many blobs it has.
    pub blobs: u32,
    /// The root of the tree over its blobs' hashes.
    pub blobs_root: Hash,
}

impl Row {
    /// The fields in order, whole numbers big-endian: 16 + 8 + 32 + 32 + 4 + 4 + 32 bytes.
    pub fn to_bytes(&self) -> [u8; ROW_BYTES] {
        let mut bytes = Vec::with_capacity(ROW_BYTES);
        bytes.extend_from_slice(&self.log.0);
        bytes.extend_from_slice(&self.number.to_be_bytes());
        bytes.extend_from_slice(&self.key.0.0);
        bytes.extend_from_slice(&self.record_root.0);
        bytes.extend_from_slice(&self.record_leaves.to_be_bytes());
        bytes.extend_from_slice(&self.blobs.to_be_bytes());
        bytes.extend_from_slice(&self.blobs_root.0);
        bytes.try_into().expect("the fields add up to a row")
    }

    /// Reads a row.
    pub fn from_bytes(bytes: &[u8; ROW_BYTES]) -> Self {
        let mut rest: &[u8] = bytes;
        Self {
            log: LogId(take(&mut rest)),
            number: u64::from_be_bytes(take(&mut rest)),
            key: KeyId(Hash(take(&mut rest))),
            record_root: Hash(take(&mut rest)),
            record_leaves: u32::from_be_bytes(take(&mut rest)),
            blobs: u32::from_be_bytes(take(&mut rest)),
            blobs_root: Hash(take(&mut rest)),
        }
    }

    /// Its leaf hash in the tree of rows; this identifies the exhibit.
    pub fn leaf(&self) -> Hash {
        merkle::leaf_hash(&frame("amparo.v1/row", &[&self.to_bytes()]))
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> [u8; N] {
    let (taken, left) = rest.split_first_chunk().expect("a row has room for its fields");
    *rest = left;
    *taken
}

/// The root over blobs' hashes, in the order of the segments.
pub fn blobs_root(blobs: &[Hash]) -> Hash {
    let leaves: Vec<Hash> = blobs.iter().map(|blob| merkle::leaf_hash(&frame("amparo.v1/blob", &[&blob.0]))).collect();
    merkle::root(&leaves)
}

/// The whole inventory of one sealing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inventory {
    format: String,
    /// The vault.
    pub vault: VaultId,
    /// The log.
    pub log: LogId,
    rows: Vec<ByteBuf>,
    blobs: Vec<ByteBuf>,
}

impl Inventory {
    /// The inventory of `rows`, each with its blobs in the order of its segments.
    pub fn new(vault: VaultId, log: LogId, rows: &[(Row, Vec<Hash>)]) -> Self {
        Self {
            format: Self::KIND.into(),
            vault,
            log,
            rows: rows.iter().map(|(row, _)| ByteBuf::from(row.to_bytes())).collect(),
            blobs: rows
                .iter()
                .map(|(_, blobs)| ByteBuf::from(blobs.iter().flat_map(|b| b.0).collect::<Vec<u8>>()))
                .collect(),
        }
    }

    /// The rows with their blobs.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = (Row, Vec<Hash>)> + '_ {
        self.rows.iter().zip(&self.blobs).map(|(row, blobs)| {
            let row = Row::from_bytes(row.as_slice().try_into().expect("checked when the inventory was read"));
            (row, blobs.as_chunks().0.iter().map(|hash| Hash(*hash)).collect())
        })
    }

    /// The root of the tree over its rows.
    pub fn root(&self) -> Hash {
        merkle::root(&self.rows().map(|(row, _)| row.leaf()).collect::<Vec<_>>())
    }
}

impl Document for Inventory {
    const KIND: &'static str = "amparo.v1/inventory";
    const PADDED_MIN: u64 = 16 << 10;

    fn format(&self) -> &str {
        &self.format
    }

    fn check(&self) -> Result<(), DocumentError> {
        Self::bound((1..=4096).contains(&self.rows.len()) && self.rows.len() == self.blobs.len(), "rows")?;
        Self::bound(self.rows.iter().all(|row| row.len() == ROW_BYTES), "rows")?;
        for ((row, blobs), listed) in self.rows().zip(&self.blobs) {
            Self::bound(listed.len() % 32 == 0 && row.blobs as usize == blobs.len() && !blobs.is_empty(), "blobs")?;
        }
        Ok(())
    }
}
