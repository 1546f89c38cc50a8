//! Why a pouch could not be made, read or taken in.

use crate::vault::VaultError;
use crate::vault::merge::Arrival;

/// Why a pouch could not be made, read or taken in.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "each message says what the fields are")]
pub enum PouchError {
    /// A pouch that none of the identities at hand opens.
    #[error("this pouch is for others: no key here opens it, unless its beginning is damaged")]
    ForOthers,
    #[error(
        "the beginning of this pouch is lost, and without it no key opens anything: which exhibits are in it cannot be told, \
         and none can be salvaged ({reason})"
    )]
    StartLost { reason: String },
    #[error(
        "this pouch was not made by this program, or not as it should be: what stands at byte {position} belongs in none"
    )]
    Malformed { position: u64 },
    /// What came stays as it is, and counts for nothing yet.
    #[error("{}", arrived(arrival))]
    ArrivedDamaged { arrival: Arrival },
    /// Nothing came: there may be more in it than can be seen.
    #[error("{}", has_gaps(arrival))]
    HasGaps { arrival: Arrival },
    /// Not even whose vault it is can be told.
    #[error(
        "the pouch is damaged where its keys and custody records stand: what is left of it can be neither checked nor listed"
    )]
    CustodyLost,
    #[error("this pouch holds a file that no vault has: {name}")]
    Stranger { name: String },
    #[error("a pouch is for at most 64 members, and {count} were named")]
    TooManyReceivers { count: usize },
    #[error("consent for {id} was withdrawn ({scope}): it is packed only for a purpose that you state")]
    Withdrawn { id: String, scope: &'static str },
    #[error("{offer} is no offer of yours to those for whom you pack")]
    NotToThem { offer: String },
    #[error("{} stands as it was said, and nothing else is to be offered: what is told of it now would stand nowhere", offers.join(", "))]
    StandsAsItIs { offers: Vec<String> },
    #[error("the pouch would take {needed} bytes, and {free} are free there")]
    NoRoom { needed: u64, free: u64 },
    #[error("it would have a file of {bytes} bytes, and the file system there takes none longer than {bytes_max}")]
    FileTooLong { bytes: u64, bytes_max: u64 },
    /// An offer cannot be taken back: the pouch is made for it once more.
    #[error("no pouch was made: {error}; {} stands in your custody record already", labels(offers))]
    OfferedNotPacked {
        /// Each with the receiver's name.
        offers: Vec<(String, String)>,
        /// Why.
        error: Box<VaultError>,
    },
    #[error("they have seen all that this copy has: there is nothing to answer")]
    NothingToAnswer,
    #[error("the text would have {bytes} bytes, and nobody takes in one of more than {bytes_max}")]
    TooLongForText { bytes: u64, bytes_max: u64 },
    #[error("{path} is damaged here, or cannot be read")]
    NotPackable { path: String },
    #[error("no part of a pouch: {}", files.join(", "))]
    NoPouch { files: Vec<String> },
    #[error("these are parts of several pouches, or nothing of one of them is whole: {}", files.join(", "))]
    Several { files: Vec<String> },
    #[error("{lost} of its {bytes} bytes are lost, beyond what the parity at hand can restore")]
    BeyondRepair { lost: u64, bytes: u64 },
    /// Without a key, parity or a hash, whatever lies there may be what was made, or not.
    #[error(
        "nothing at hand tells how {unchecked} of its {bytes} bytes should be: they cannot be checked, and there is nothing \
         to repair them from"
    )]
    NothingTells { unchecked: u64, bytes: u64 },
    #[error("parity is made for pouches of up to 128 GiB, and this one has {bytes} bytes")]
    TooLongForParity { bytes: u64 },
    #[error("volumes of {bytes} bytes are too small, or too many: those of this pouch have at least {least}")]
    VolumeBytes { bytes: u64, least: u64 },
}

fn arrived(arrival: &Arrival) -> String {
    format!("the pouch is damaged, and nothing of it counts yet. {}", lists(arrival))
}

fn has_gaps(arrival: &Arrival) -> String {
    format!(
        "the pouch is damaged where it tells what it holds, and nothing of it counts yet. {}. Not seen in it, perhaps lost: {}",
        lists(arrival),
        Arrival::listed(&arrival.unseen)
    )
}

fn lists(arrival: &Arrival) -> String {
    format!("Whole: {}. Damaged: {}", Arrival::listed(&arrival.whole), Arrival::listed(&arrival.damaged))
}

fn labels(offers: &[(String, String)]) -> String {
    let labels: Vec<&str> = offers.iter().map(|(label, _)| label.as_str()).collect();
    labels.join(", ")
}
