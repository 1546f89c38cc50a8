//! A receipt: a C2SP tlog-proof of one `seal` entry, whose `extra` holds the entry and, for one exhibit, its row and
//! the row's path. It can leave by another road than the evidence and prove later that the exhibit existed.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::checkpoint::Checkpoint;
use super::document::{Document, DocumentError};
use super::entry::{Entry, entry_leaf};
use super::event::{Event, Seal};
use super::inventory::{ROW_BYTES, Row};
use super::note::Note;
use crate::crypto::hash::Hash;
use crate::crypto::merkle::root_from_inclusion;

/// A receipt's text is less than 16 KiB, so that it fits a message or a page of print.
pub const RECEIPT_BYTES_MAX: usize = 16 << 10;

const FIRST_LINE: &str = "c2sp.org/tlog-proof@v1";
/// No tree of this format is higher: sizes are below 2^63.
const PATH_MAX: usize = 63;

/// Why a text is no receipt, or not a true one.
#[derive(Debug, thiserror::Error)]
pub enum ReceiptError {
    /// Not the lines of a tlog-proof, or other bytes than its one print.
    #[error("it is not a receipt: {reason}")]
    Malformed {
        /// What is wrong.
        reason: &'static str,
    },
    /// The extra data is not what a receipt holds.
    #[error(transparent)]
    Extra(#[from] DocumentError),
    /// Its entry names more than a receipt can hold.
    #[error("it would be longer than 16 KiB")]
    TooLong,
    /// A proof that does not lead to the signed root.
    #[error("its proof does not lead to the signed state")]
    Proof,
}

/// A row and its place among the rows of its sealing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowProof {
    /// The row.
    pub row: Row,
    /// Its place, from 0.
    pub index: u32,
    /// RFC 6962 audit path in the tree of rows.
    pub path: Vec<Hash>,
}

/// A receipt whose two proofs hold; its signatures are still to be checked against a card.
#[derive(Clone, Debug)]
pub struct Receipt {
    /// The entry that seals.
    pub entry: Entry,
    /// The entry's own bytes.
    pub encoding: Vec<u8>,
    /// The exhibit; `None` for a receipt over a whole sealing.
    pub row: Option<RowProof>,
    /// RFC 6962 audit path of the entry.
    pub path: Vec<Hash>,
    /// The signed state.
    pub checkpoint: Checkpoint,
    /// The same with its signatures.
    pub note: Note,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Extra {
    format: String,
    entry: ByteBuf,
    row: Option<ExtraRow>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExtraRow {
    row: ByteBuf,
    index: u32,
    path: Vec<Hash>,
}

impl Document for Extra {
    const KIND: &'static str = "amparo.v1/receipt";
    const PADDED_MIN: u64 = 0;

    fn format(&self) -> &str {
        &self.format
    }

    fn check(&self) -> Result<(), DocumentError> {
        let Some(row) = &self.row else { return Ok(()) };
        Self::bound(row.row.len() == ROW_BYTES && row.path.len() <= PATH_MAX, "row")
    }
}

impl Receipt {
    /// The one text.
    pub fn print(&self) -> String {
        let row = self.row.as_ref().map(|proof| ExtraRow {
            row: ByteBuf::from(proof.row.to_bytes()),
            index: proof.index,
            path: proof.path.clone(),
        });
        let extra = Extra { format: Extra::KIND.into(), entry: ByteBuf::from(self.encoding.clone()), row };
        let mut text =
            format!("{FIRST_LINE}\nextra {}\nindex {}\n", BASE64_STANDARD.encode(extra.encode()), self.entry.seq);
        for hash in &self.path {
            text.push_str(&BASE64_STANDARD.encode(hash.0));
            text.push('\n');
        }
        text.push('\n');
        text.push_str(std::str::from_utf8(&self.note.to_bytes()).expect("a note is text"));
        text
    }

    /// Reads a receipt and checks both of its proofs.
    pub fn parse(bytes: &[u8]) -> Result<Self, ReceiptError> {
        let malformed = |reason| ReceiptError::Malformed { reason };
        if bytes.len() >= RECEIPT_BYTES_MAX {
            return Err(malformed("it is longer than 16 KiB"));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| malformed("it is not UTF-8"))?;
        let (proof, note) = text.split_once("\n\n").ok_or(malformed("it has no empty line"))?;
        let mut lines = proof.split('\n');
        if lines.next() != Some(FIRST_LINE) {
            return Err(malformed("its first line is not that of a C2SP tlog-proof"));
        }
        let extra =
            lines.next().and_then(|line| line.strip_prefix("extra ")).ok_or(malformed("it has no extra line"))?;
        let extra = BASE64_STANDARD.decode(extra).map_err(|_| malformed("its extra line is not base64"))?;
        let extra = Extra::decode(&extra)?;
        let index =
            lines.next().and_then(|line| line.strip_prefix("index ")).ok_or(malformed("it has no index line"))?;
        let index: u64 = index.parse().map_err(|_| malformed("its index is not a number"))?;
        let path =
            lines.map(hash_line).collect::<Option<Vec<_>>>().ok_or(malformed("a line of its proof is not a hash"))?;
        let note = Note::parse(note.as_bytes()).map_err(|_| malformed("its checkpoint is not a signed note"))?;
        let checkpoint = Checkpoint::parse_text(note.text()).map_err(|_| malformed("its note is not a checkpoint"))?;
        let receipt = Self::assemble(extra, path, checkpoint, note)?;
        if receipt.entry.seq != index || receipt.print().as_bytes() != bytes {
            return Err(malformed("its bytes are not those that the format prescribes"));
        }
        receipt.prove()?;
        Ok(receipt)
    }

    /// What is sealed by the entry.
    pub fn seal(&self) -> Result<&Seal, ReceiptError> {
        match &self.entry.event {
            Event::Seal(seal) => Ok(seal),
            _ => Err(ReceiptError::Malformed { reason: "its entry seals nothing" }),
        }
    }

    fn assemble(extra: Extra, path: Vec<Hash>, checkpoint: Checkpoint, note: Note) -> Result<Self, ReceiptError> {
        let entry = Entry::decode(&extra.entry)?;
        let row = extra.row.map(|extra| RowProof {
            row: Row::from_bytes(extra.row.as_slice().try_into().expect("its length was checked")),
            index: extra.index,
            path: extra.path,
        });
        Ok(Self { entry, encoding: extra.entry.into_vec(), row, path, checkpoint, note })
    }

    /// Both proofs: row to the entry's root, entry to the checkpoint's.
    fn prove(&self) -> Result<(), ReceiptError> {
        let seal = self.seal()?;
        let proved = root_from_inclusion(entry_leaf(&self.encoding), self.entry.seq, self.checkpoint.size, &self.path);
        // Who keeps another log could put an entry in it that speaks of this one.
        let origin = self.checkpoint.origin;
        let own = self.entry.vault == origin.vault && self.entry.log == origin.log;
        let holds = own && proved == Some(self.checkpoint.root);
        let row_holds = self.row.as_ref().is_none_or(|proof| {
            let place = u64::from(proof.index);
            let labelled = proof.row.log == self.entry.log && Some(proof.row.number) == seal.first.checked_add(place);
            let sealed_to = seal.manifests.iter().any(|manifest| manifest.key == proof.row.key);
            let root = root_from_inclusion(proof.row.leaf(), place, u64::from(seal.count), &proof.path);
            labelled && sealed_to && root == Some(seal.root)
        });
        if holds && row_holds { Ok(()) } else { Err(ReceiptError::Proof) }
    }
}

fn hash_line(line: &str) -> Option<Hash> {
    BASE64_STANDARD.decode(line).ok()?.try_into().ok().map(Hash)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::seed::Seed;
    use crate::format::checkpoint::Origin;
    use crate::format::entry::HEADS_MAX;
    use crate::format::event::{Head, ManifestRef};
    use crate::format::ids::{KeyId, LogId, VaultId};

    /// The longest receipt of an entry with so many manifests, in the largest log that there can be.
    fn longest(manifests: u8) -> usize {
        let (vault, log, hash) = (VaultId(Hash([0xff; 32])), LogId([0xff; 16]), Hash([0xff; 32]));
        let size = 9_999_999_999;
        let head = |number: usize| {
            let number = u8::try_from(number).expect("few");
            Head { log: LogId([number; 16]), size, root: hash }
        };
        let sections =
            (0..manifests).map(|number| ManifestRef { key: KeyId(Hash([number; 32])), blob: hash, records: 4_096 });
        let seal = Seal {
            first: u64::from(u32::MAX),
            count: 4_096,
            root: hash,
            inventory: hash,
            manifests: sections.collect(),
            readback: true,
        };
        let entry = Entry {
            format: Entry::FORMAT.into(),
            vault,
            log,
            seq: size - 1,
            previous: hash,
            nonce: [0xff; 16],
            time: "2031-05-04T23:10:00-03:00".into(),
            clock: "c".repeat(64),
            heads: (0..HEADS_MAX).map(head).collect(),
            tool: "t".repeat(64),
            begins: None,
            event: Event::Seal(seal),
        };
        let row = Row {
            log,
            number: u64::from(u32::MAX),
            key: KeyId(hash),
            record_root: hash,
            record_leaves: 64,
            blobs: 1,
            blobs_root: hash,
        };
        let checkpoint = Checkpoint { origin: Origin { vault, log }, size, root: hash };
        let note = checkpoint.sign(&Seed::from_bytes(&[1; 32]).keys());
        // 2^33 < size < 2^34, and 4,096 rows are 2^12.
        let row = Some(RowProof { row, index: 4_095, path: vec![hash; 12] });
        let receipt = Receipt { encoding: entry.encode(), entry, row, path: vec![hash; 34], checkpoint, note };
        receipt.print().len()
    }

    #[test]
    fn of_the_largest_log_with_the_most_said_a_receipt_is_below_its_bound() {
        assert!(longest(2) < RECEIPT_BYTES_MAX, "{}", longest(2));
        assert!(longest(SECTIONS_SURE) < RECEIPT_BYTES_MAX, "{}", longest(SECTIONS_SURE));
        assert!(longest(SECTIONS_SURE + 1) >= RECEIPT_BYTES_MAX, "{}", longest(SECTIONS_SURE + 1));
    }

    /// As FORMAT, section 4.5, states it.
    const SECTIONS_SURE: u8 = 26;
}
