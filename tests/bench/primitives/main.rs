//! What each byte and each file of evidence costs on one core, whatever is built on it: `cargo bench --bench primitives`.
//! `tests/bench/peers.sh` computes from it how fast sealing could be at best.

#![allow(clippy::print_stdout, missing_docs)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use amparo::crypto::envelope::{self, Buffer, PLAIN_CHUNK_BYTES, Slots};
use amparo::crypto::hash::Hash;
use amparo::crypto::recipient::Identity;
use amparo::crypto::sign::{Ed25519Key, MlDsaKey, ed25519_verifies, ml_dsa_verifies};

/// Long enough that the clock's own steps do not count.
const AT_LEAST: Duration = Duration::from_millis(400);

/// The median of five: how long one call takes.
fn time(mut act: impl FnMut()) -> Duration {
    act();
    let mut rounds: Vec<Duration> = (0..5)
        .map(|_| {
            let (began, mut calls) = (Instant::now(), 0);
            while began.elapsed() < AT_LEAST / 5 {
                act();
                calls += 1;
            }
            began.elapsed() / calls
        })
        .collect();
    rounds.sort();
    rounds[2]
}

fn rate(name: &str, bytes: usize, act: impl FnMut()) {
    let bytes = f64::from(u32::try_from(bytes).expect("a segment is small"));
    println!("{name} {:.3} GB/s", bytes / time(act).as_secs_f64() / 1e9);
}

fn each(name: &str, act: impl FnMut()) {
    println!("{name} {:.1} us", time(act).as_secs_f64() * 1e6);
}

fn main() {
    let identity = Identity::from_seed(&[7; 32]);
    let recipient = identity.recipient();
    let mut chunk = vec![3; PLAIN_CHUNK_BYTES];
    rate("sha256", chunk.len(), || {
        black_box(Hash::of(black_box(&chunk)));
    });
    let (_, key) = envelope::begin(&[&recipient]);
    // The same nonce again and again: this key encrypts nothing that anybody keeps.
    rate("chacha20poly1305", PLAIN_CHUNK_BYTES, || {
        black_box(key.seal(0, false, black_box(&mut chunk)));
    });
    let whole = vec![5; 16 << 20];
    let mut spare = Some(Buffer::default());
    rate("segment-sealed-and-hashed", whole.len(), || {
        let mut slots = Slots::new(spare.take().unwrap_or_default(), whole.len());
        slots.extend(&whole);
        spare = Some(slots.seal(&recipient).into_buffer());
    });
    each("hybrid-wrap", || drop(black_box(envelope::begin(&[&recipient]))));
    let small = envelope::seal(&[9; 512], &[&recipient]).bytes;
    each("small-file-opened", || drop(black_box(envelope::open(black_box(&small), &[&identity]))));
    let (ed25519, ml_dsa) = (Ed25519Key::from_seed(&[1; 32]), MlDsaKey::from_seed(&[2; 32]));
    let (public, other) = (ed25519.public(), ml_dsa.public());
    let (one, two) = (ed25519.sign(b"a state"), ml_dsa.sign(b"a state"));
    each("ed25519-verified", || assert!(ed25519_verifies(&public, black_box(b"a state"), &one)));
    each("ml-dsa-44-verified", || assert!(ml_dsa_verifies(&other, black_box(b"a state"), &two)));
}
