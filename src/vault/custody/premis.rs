//! What archivists call each event: the three-letter codes of the PREMIS event types (docs/GLOSSARY.md says how well each
//! fits). For those who carry the story into an archive.

use crate::format::event::Event;

/// The code of the nearest PREMIS event type.
pub fn code(event: &Event) -> &'static str {
    match event {
        Event::Found(_)
        | Event::Admit(_)
        | Event::Remove(_)
        | Event::Rotate { .. }
        | Event::Share { .. }
        | Event::Withdraw { .. }
        | Event::Close { .. } => "poa",
        Event::Adopt { .. } | Event::Decline { .. } => "app",
        Event::Seal(_) => "ing",
        Event::Amend { .. } | Event::Anchor { .. } | Event::Note { .. } | Event::Gap { .. } => "mem",
        Event::Offer(_) | Event::Acknowledge(_) => "tra",
        Event::Open { .. } => "der",
        Event::Verify { .. } => "fix",
        Event::Disclose { .. } => "dis",
        Event::Stamp { .. } => "dsg",
        Event::Pack { .. } => "pac",
        Event::Dispose { .. } => "dea",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::hash::Hash;

    #[test]
    fn the_glossary_maps_them_the_same_way() {
        let glossary = include_str!("../../../docs/GLOSSARY.md");
        let mapped = |name: &str| {
            let row = glossary.lines().find(|line| line.starts_with(&format!("| `{name}` |")))?;
            row.split('|').nth(4).map(|cell| cell.trim().trim_matches('`').to_string())
        };
        let (nobody, text) = (crate::format::ids::MemberId(Hash::ZERO), String::new);
        let events = [
            Event::Decline {
                offer: crate::format::event::EntryRef {
                    log: crate::format::ids::LogId([0; 16]),
                    seq: 0,
                    leaf: Hash::ZERO,
                },
                reason: text(),
            },
            Event::Adopt { entries: Vec::new() },
            Event::Rotate { keys: Vec::new() },
            Event::Note { text: text(), exhibit: None, reconstructed: false },
            Event::Gap { text: text(), from: text(), to: text(), exhibit: None },
            Event::Open { exhibits: Vec::new(), reason: text() },
            Event::Verify { heads: Vec::new(), level: text(), verdict: text() },
            Event::Stamp { kind: text(), checkpoint: Hash::ZERO, file: Hash::ZERO },
            Event::Anchor { kind: text(), value: text(), published: text() },
            Event::Pack { to: vec![nobody], exhibits: None, offers: Vec::new(), pouch: Hash::ZERO, bytes: 0 },
            Event::Dispose { blobs: Vec::new(), reason: text(), authority: text() },
            Event::Close { reason: text() },
        ];
        for event in events {
            assert_eq!(mapped(event.name()).as_deref(), Some(code(&event)), "{}", event.name());
        }
    }
}
