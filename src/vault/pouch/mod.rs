//! The one file that travels: part of a vault in an age file, made by [`mod@pack`], taken in by [`mod@unpack`].
//!
//! - [`pieces`]: the bytes of a pouch, wherever they lie
//! - [`mod@parity`]: what restores it when it is damaged
//! - [`volumes`]: cut into files of a size
//! - [`absent`]: how many of these may be missing
//! - [`mod@repair`]: written again as it was, without a key
//! - [`opened`]: its plaintext, any part of it, chunk by chunk
//! - [`archive`]: the vault's files in it, read as a folder; so a pouch is merged and verified as any other copy is
//! - [`select`]: what of a vault goes into one
//! - [`write`](mod@write): the files on their way into it
//! - [`unfinished`]: what a kill left of a pouch is known by a mark, and cleared
//! - [`pack`](mod@pack), [`unpack`](mod@unpack): the verbs
//!
//! Nothing in a pouch is believed because it came in one: whoever has a card can encrypt to it.

pub mod absent;
pub mod archive;
mod error;
pub mod opened;
pub mod pack;
pub mod parity;
pub mod pieces;
pub mod repair;
mod select;
pub mod unfinished;
pub mod unpack;
pub mod volumes;
mod write;

pub use error::PouchError;
