//! `verify --report`: one page for a mission's file, in Markdown. The verdict in words, what it means and what not, what was
//! not checked, and the custody story. Nobody's words may change the page: see [`markdown`].

mod markdown;
mod page;
mod people;

use std::path::{Path, PathBuf};

pub(in crate::cli) use people::Names;

use super::whole::Exit as _;
use crate::cli::call::{Call, is_dash};
use crate::cli::error::CliError;
use crate::store::Mode;
use crate::vault::custody::story::Story;
use crate::vault::session::Session;
use crate::vault::verify::Verified;
use crate::vault::{TOOL, claimed_time};
