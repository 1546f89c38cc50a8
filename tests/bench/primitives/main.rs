//! What each byte and each file of evidence costs on one core, whatever is built on it: `cargo bench --bench primitives`.
//! `tests/bench/peers.sh` computes from it how fast sealing could be at best.

#![allow(missing_docs)]

use std::hint::black_box;

use amparo::crypto::envelope::{self, Buffer, PLAIN_CHUNK_BYTES, Slots};
use amparo::crypto::hash::Hash;
use amparo::crypto::recipient::Identity;
use amparo::crypto::sign::{Ed25519Key, MlDsaKey, ed25519_verifies, ml_dsa_verifies};
use divan::Bencher;
use divan::counter::BytesCount;

const SEGMENT_BYTES: usize = 16 << 20;

fn main() {
    divan::main();
}

fn identity() -> Identity {
    Identity::from_seed(&[7; 32])
}

#[divan::bench]
fn sha256(bencher: Bencher<'_, '_>) {
    let chunk = vec![3; PLAIN_CHUNK_BYTES];
    bencher.counter(BytesCount::new(chunk.len())).bench_local(|| Hash::of(black_box(&chunk)));
}

#[divan::bench]
fn chacha20poly1305(bencher: Bencher<'_, '_>) {
    let mut chunk = vec![3; PLAIN_CHUNK_BYTES];
    let (_, key) = envelope::begin(&[&identity().recipient()]);
    // The same nonce again and again: this key encrypts nothing that anybody keeps.
    bencher.counter(BytesCount::new(chunk.len())).bench_local(|| key.seal(0, false, black_box(&mut chunk)));
}

#[divan::bench(sample_count = 20)]
fn segment_sealed_and_hashed(bencher: Bencher<'_, '_>) {
    let (whole, recipient) = (vec![5; SEGMENT_BYTES], identity().recipient());
    let mut spare = Buffer::default();
    bencher.counter(BytesCount::new(whole.len())).bench_local(|| {
        let mut slots = Slots::new(std::mem::take(&mut spare), whole.len());
        slots.extend(&whole);
        spare = slots.seal(&recipient).into_buffer();
    });
}

#[divan::bench]
fn hybrid_wrap(bencher: Bencher<'_, '_>) {
    let recipient = identity().recipient();
    bencher.bench_local(|| envelope::begin(&[&recipient]));
}

#[divan::bench]
fn small_file_opened(bencher: Bencher<'_, '_>) {
    let identity = identity();
    let small = envelope::seal(&[9; 512], &[&identity.recipient()]).bytes;
    bencher.bench_local(|| envelope::open(black_box(&small), &[&identity]).expect("it opens"));
}

#[divan::bench]
fn ed25519_verified(bencher: Bencher<'_, '_>) {
    let key = Ed25519Key::from_seed(&[1; 32]);
    let (public, signature) = (key.public(), key.sign(b"a state"));
    bencher.bench_local(|| assert!(ed25519_verifies(&public, black_box(b"a state"), &signature)));
}

#[divan::bench]
fn ml_dsa_44_verified(bencher: Bencher<'_, '_>) {
    let key = MlDsaKey::from_seed(&[2; 32]);
    let (public, signature) = (key.public(), key.sign(b"a state"));
    bencher.bench_local(|| assert!(ml_dsa_verifies(&public, black_box(b"a state"), &signature)));
}
