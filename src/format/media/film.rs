//! What a film or a phone's sound says of itself in the boxes of MP4, QuickTime and 3GP: ISO/IEC 14496-12 (`mvhd`),
//! QuickTime (`udta` with its `©…`, `meta` with `keys` and `ilst`), 3GPP TS 26.244 (`loci`). Three depths, no recursion.

use std::collections::BTreeMap;

use super::claims::{self, Claims, clean, iso_6709, moment, since_1904};
use super::glance::Part;

/// A list of more boxes tells nothing of device, times and place.
const BOXES_MAX: usize = 512;

/// What one box can say, by the names that phones give it. Of one thing the first name that is there counts.
const MADE: [&str; 2] = ["com.apple.quicktime.creationdate", "©day"];
const PLACE: [&str; 2] = ["com.apple.quicktime.location.ISO6709", "©xyz"];
const MAKE: [&str; 4] = ["com.apple.quicktime.make", "com.android.manufacturer", "©mak", "manu"];
const MODEL: [&str; 4] = ["com.apple.quicktime.model", "com.android.model", "©mod", "modl"];
const SOFTWARE: [&str; 3] = ["com.apple.quicktime.software", "©swr", "©too"];

pub(super) fn read(parts: &[Part], claims: &mut Claims) {
    let mut said = BTreeMap::new();
    let mut loci = None;
    for (name, part) in parts {
        match name {
            b"mvhd" => claims.say("embedded/created", header(part)),
            b"meta" => described(part, &mut said),
            b"udta" => {
                for (name, content) in boxes(part) {
                    match &name {
                        b"meta" => described(content, &mut said),
                        b"loci" => loci = loci.or_else(|| location(content)),
                        _ => add(&mut said, printed(name), text(content)),
                    }
                }
            }
            _ => {}
        }
    }
    let first = |names: &[&str]| names.iter().find_map(|name| said.get(*name)).cloned();
    claims.say("embedded/taken", first(&MADE).and_then(|time| moment(&time)));
    if let Some((latitude, longitude, altitude)) = first(&PLACE).and_then(|place| iso_6709(&place)).or(loci) {
        claims.place(latitude, longitude, altitude);
    }
    claims.say("embedded/device", claims::device(first(&MAKE), first(&MODEL)));
    let android = said.get("com.android.version").map(|version| format!("Android {version}"));
    claims.say("embedded/software", first(&SOFTWARE).or(android));
}

fn add(said: &mut BTreeMap<String, String>, name: String, value: Option<String>) {
    if let Some(value) = value {
        said.entry(name).or_insert(value);
    }
}

/// When the film was made, by `mvhd`: 32 bits in version 0, 64 in version 1.
fn header(part: &[u8]) -> Option<String> {
    let after = part.get(4..)?;
    match part.first()? {
        0 => since_1904(u64::from(u32::from_be_bytes(*after.first_chunk()?))),
        1 => since_1904(u64::from_be_bytes(*after.first_chunk()?)),
        _ => None,
    }
}

/// The boxes that lie one behind the other; what does not fit ends them.
fn boxes(mut bytes: &[u8]) -> Vec<([u8; 4], &[u8])> {
    let mut all = Vec::new();
    while let (Some(length), Some(name)) = (bytes.first_chunk(), bytes.get(4..).and_then(|rest| rest.first_chunk())) {
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        let Some((whole, rest)) = bytes.split_at_checked(length) else { break };
        let Some(content) = whole.get(8..) else { break };
        if all.len() >= BOXES_MAX {
            break;
        }
        all.push((*name, content));
        bytes = rest;
    }
    all
}

/// A type as text: `©` is one byte there.
fn printed(name: [u8; 4]) -> String {
    name.iter().map(|byte| char::from(*byte)).collect()
}

/// Text of user data: its length, a language, then the text. What is not built so says nothing.
fn text(content: &[u8]) -> Option<String> {
    let bytes = usize::from(u16::from_be_bytes(*content.first_chunk()?));
    clean(&String::from_utf8_lossy(content.get(4..)?.get(..bytes)?))
}

/// `meta`: values in `ilst`, by their own names or by numbers into `keys`. QuickTime leaves out the four bytes of
/// version and flags that MP4 puts before the first box.
fn described(content: &[u8], said: &mut BTreeMap<String, String>) {
    let bare = content.get(4..8) == Some(b"hdlr".as_slice());
    let all = boxes(if bare { content } else { content.get(4..).unwrap_or_default() });
    let find = |wanted: &[u8; 4]| all.iter().find(|(name, _)| name == wanted).map(|(_, content)| *content);
    let keys: Vec<String> = find(b"keys")
        .and_then(|keys| keys.get(8..))
        .map(boxes)
        .unwrap_or_default()
        .into_iter()
        .map(|(_, name)| String::from_utf8_lossy(name).into_owned())
        .collect();
    for (name, item) in find(b"ilst").map(boxes).unwrap_or_default() {
        let number = usize::try_from(u32::from_be_bytes(name)).unwrap_or(usize::MAX);
        let name = number.checked_sub(1).and_then(|index| keys.get(index)).cloned().unwrap_or_else(|| printed(name));
        // A value: kind (1 is UTF-8), language, then the text.
        let value = boxes(item).into_iter().find(|(name, _)| name == b"data");
        let value = value.and_then(|(_, data)| data.strip_prefix(&[0, 0, 0, 1])).and_then(|rest| rest.get(4..));
        add(said, name, value.and_then(|value| clean(&String::from_utf8_lossy(value))));
    }
}

/// `loci`: version, language, a name that ends with a zero, a role, then longitude, latitude and altitude in 1/65,536.
fn location(content: &[u8]) -> Option<(f64, f64, Option<f64>)> {
    let named = content.get(6..)?;
    let end = named.iter().position(|byte| *byte == 0)?;
    let numbers = named.get(end..)?.get(2..)?.first_chunk::<12>()?;
    let number = |at: usize| -> Option<f64> {
        Some(f64::from(i32::from_be_bytes(*numbers.get(at..)?.first_chunk()?)) / 65_536.0)
    };
    // A writer that knows no altitude has to write one: 0.
    Some((number(4)?, number(0)?, number(8).filter(|metres| *metres != 0.0)))
}
