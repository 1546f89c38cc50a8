//! What is told while the sealing goes on: each exhibit as soon as it is sealed, as a line or as an element of the JSON.
//! Of a million exhibits only what the end of the run needs is kept.

use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use serde_json::{Value, json};

use crate::cli::output::size;
use crate::cli::progress::Progress;
use crate::cli::stream::ObjectStream;
use crate::crypto::hash::Hash;
use crate::format::names::printable;
use crate::vault::seal::SealedExhibit;

/// More labels than this are counted and not named, in one warning.
const NAMED_MAX: usize = 100;

/// How each exhibit is told.
pub(super) enum Form {
    /// A line: the word set off, and whether size and source follow.
    Line { word: String, verbose: bool },
    /// An element of `exhibits`.
    Json(ObjectStream),
}

/// What the end of the run must know of the exhibits.
pub(super) struct Told {
    pub(super) form: Form,
    /// The first one's label.
    pub(super) first: Option<String>,
    /// Those whose source kept changing.
    pub(super) changed: Labels,
    /// Those made from nothing.
    pub(super) empty: Labels,
    /// Hashes of the sources' raw paths, where they are to be moved away.
    sources: Option<Vec<Hash>>,
    /// Standard output took no more. The sealing goes on all the same.
    pub(super) trouble: Option<io::Error>,
}

/// Labels of exhibits: the first are named, the rest counted.
#[derive(Default)]
pub(super) struct Labels {
    named: Vec<String>,
    more: u64,
}

impl Labels {
    fn add(&mut self, label: &str) {
        if self.named.len() < NAMED_MAX {
            self.named.push(label.into());
        } else {
            self.more += 1;
        }
    }

    /// A sentence for each that is named, and one for the rest.
    pub(super) fn sentences(&self, of_one: impl Fn(&str) -> String, of_the_rest: &str) -> Vec<String> {
        let rest = (self.more > 0).then(|| format!("so it is with {} more exhibits: {of_the_rest}", self.more));
        self.named.iter().map(|label| of_one(label)).chain(rest).collect()
    }
}

impl Told {
    pub(super) fn new(form: Form, remember_sources: bool) -> Self {
        let (changed, empty) = (Labels::default(), Labels::default());
        Self { form, first: None, changed, empty, sources: remember_sources.then(Vec::new), trouble: None }
    }

    /// Tells of one exhibit, now.
    pub(super) fn tell(&mut self, exhibit: &SealedExhibit, out: &mut dyn Write, progress: &Progress<'_>) {
        if self.first.is_none() {
            self.first = Some(exhibit.id.clone());
        }
        if exhibit.changed {
            self.changed.add(&exhibit.id);
        }
        if exhibit.bytes == 0 {
            self.empty.add(&exhibit.id);
        }
        if let Some(sources) = &mut self.sources {
            sources.push(Hash::of(&exhibit.source));
        }
        if self.trouble.is_none() {
            self.trouble = progress.step_aside(|| write(&mut self.form, exhibit, out)).err();
        }
    }

    /// Which sources were sealed, for [`Sources::hold`].
    pub(super) fn sources(&mut self) -> Sources {
        let mut hashes = self.sources.take().unwrap_or_default();
        hashes.sort_unstable();
        Sources(hashes)
    }
}

/// The sources that were sealed, by the hashes of their paths: 32 bytes for each, however long it is.
pub(super) struct Sources(Vec<Hash>);

impl Sources {
    /// Whether the file or folder at `path` was sealed.
    pub(super) fn hold(&self, path: &Path) -> bool {
        self.0.binary_search(&Hash::of(path.as_os_str().as_bytes())).is_ok()
    }
}

fn write(form: &mut Form, exhibit: &SealedExhibit, out: &mut dyn Write) -> io::Result<()> {
    match form {
        Form::Line { word, verbose } => {
            let mut line = format!("{word} {}", exhibit.id);
            if *verbose {
                line.push_str(&format!("  {}  {}", size(exhibit.bytes), printable(&exhibit.source)));
            }
            out.write_all(format!("{line}\n").as_bytes())?;
        }
        Form::Json(object) => {
            object.begin(out, "exhibits")?;
            object.item(out, &described(exhibit))?;
        }
    }
    out.flush()
}

fn described(exhibit: &SealedExhibit) -> Value {
    json!({
        "id": exhibit.id,
        "source": printable(&exhibit.source),
        "bytes": exhibit.bytes,
        "sha256": exhibit.sha256.to_string(),
        "blobs": exhibit.blobs,
        "changed": exhibit.changed,
    })
}
