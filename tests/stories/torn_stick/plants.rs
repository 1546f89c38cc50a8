//! Programs with a fault each, which the story must see.

use amparo::crypto::hash::Hash;
use amparo::format::parity::{HEADER_BYTES, PacketHeader};

use super::*;

/// A program that skips the checksums of packets: whatever looks like one is taken for whole.
fn trusts_packets(stick: &Stick<'_>, dice: &mut Dice) -> Result<Vec<u8>, String> {
    let mut signed = stick.clone();
    let packet_bytes = usize::try_from(stick.packed.layout.packet_bytes()).expect("short");
    for (_, bytes) in signed.files.iter_mut().filter(|(path, _)| path.to_string_lossy().contains("parity")) {
        for packet in bytes.iter_mut().flat_map(|bytes| bytes.chunks_exact_mut(packet_bytes)) {
            let (header, body) = packet.split_at_mut(HEADER_BYTES);
            if let Some((told, _)) = PacketHeader::parse(header) {
                let Hash(sum) = Hash::of_parts(&[&told.print(), body]);
                header[HEADER_BYTES - 16..].copy_from_slice(&sum[..16]);
            }
        }
    }
    ours(&signed, dice)
}

/// A program that goes by the order of names: they were changed on the way, and it puts each volume where its name says.
fn trusts_names(stick: &Stick<'_>, dice: &mut Dice) -> Result<Vec<u8>, String> {
    let mut renamed = stick.clone();
    let page = |file: usize| VolumePage::parse(&stick.packed.files[file].1[..PAGE_BYTES]).map(|(page, _)| page);
    let volumes: Vec<usize> = (0..stick.files.len()).filter(|file| page(*file).is_some()).collect();
    for (place, file) in volumes.iter().zip(volumes.iter().rev()) {
        let (claimed, Some(bytes)) = (page(*place).expect("a page"), &mut renamed.files[*file].1) else { continue };
        bytes[..PAGE_BYTES].copy_from_slice(&claimed.print(None));
    }
    ours(&renamed, dice)
}

/// A program that takes bytes as they are, for all its parity.
fn checks_nothing(stick: &Stick<'_>, dice: &mut Dice) -> Result<Vec<u8>, String> {
    let mut blind = stick.clone();
    let is_data =
        |bytes: &[u8]| VolumePage::parse(&bytes[..PAGE_BYTES]).is_some() || bytes.starts_with(b"age-encryption.org/");
    for (file, (_, bytes)) in blind.files.iter_mut().enumerate() {
        *bytes = bytes.take().filter(|_| is_data(&stick.packed.files[file].1));
    }
    let pieces = blind.gathered(dice).map_err(|error| error.to_string())?;
    let mut read = vec![0; usize::try_from(pieces.bytes()).expect("short")];
    pieces.read_to_judge(0, &mut read).map_err(|lost| format!("lost: {lost:?}"))?;
    Ok(read)
}

#[test]
fn planted_faults_are_seen() {
    let _row = crate::soak::row(8);
    let sticks = sticks();
    let plants: [(&str, Program, &str); 3] = [
        ("checksums of packets are skipped", trusts_packets, "lost: "),
        ("volumes are taken by name", trusts_names, "lost: "),
        ("checksums of cells are skipped", checks_nothing, "a wrong byte"),
    ];
    for (plant, program, seen) in plants {
        let faults: Vec<String> = (0..100).filter_map(|seed| judged(seed, &sticks, program).err()).collect();
        assert!(faults.iter().any(|fault| fault.contains(seen)), "{plant}: not seen: {faults:?}");
    }
}

#[test]
fn planted_faults_above_the_share_are_seen() {
    let _row = crate::soak::row(8);
    let as_it_lies: fn(&Pieces, u64, &mut [u8]) -> Result<(), pieces::Lost> =
        |pieces, offset, into| pieces.read_at(offset, into).or(Ok(()));
    let plants: [(&str, Above, &str); 2] = [
        ("nothing is checked", Above { reads: as_it_lies, ..ABOVE }, "a wrong byte"),
        ("the list of what is lost is empty", Above { lost: |_| Vec::new(), ..ABOVE }, "is not so"),
    ];
    for (plant, program, seen) in plants {
        let fault = is_honest_above_the_share(0..100, &program).expect_err(plant);
        assert!(fault.contains(seen), "{plant}: {fault}");
    }
}
