//! What a forger writes twice is written in the same bytes: encryption and signatures draw randomness of their own, and
//! forged vaults that have much in common are then told by little (`tests/vectors/vaults`).

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use amparo::crypto::envelope;
use amparo::crypto::hash::Hash;
use amparo::crypto::recipient::Recipient;
use amparo::crypto::seed::Keys;
use amparo::format::checkpoint::Checkpoint;

/// A number that nothing else in this test has; the same steps draw the same numbers in another one.
pub(crate) fn fresh() -> u64 {
    thread_local! {
        static NEXT: Cell<u64> = const { Cell::new(1) };
    }
    NEXT.replace(NEXT.get() + 1)
}

/// A folder for what a device remembers that no other device has.
pub(crate) fn new_state() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    format!("/state/{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// An age file.
pub(crate) fn sealed(plaintext: &[u8], recipients: &[Recipient]) -> Vec<u8> {
    let to = recipients.iter().map(ToString::to_string).collect::<String>();
    let all: Vec<&Recipient> = recipients.iter().collect();
    once(Hash::tagged("file", &[plaintext, to.as_bytes()]), || envelope::seal(plaintext, &all).bytes)
}

/// A signed state.
pub(crate) fn signed(state: &Checkpoint, keys: &Keys) -> Vec<u8> {
    let text = format!("{}{}{}", state.origin, state.size, state.root);
    once(Hash::tagged("state", &[text.as_bytes(), &keys.public().log]), || state.sign(keys).to_bytes())
}

static KNOWN: Mutex<BTreeMap<Hash, Vec<u8>>> = Mutex::new(BTreeMap::new());

thread_local! {
    static OWN: RefCell<Option<BTreeMap<Hash, Vec<u8>>>> = const { RefCell::new(None) };
}

/// What is written twice in this thread is still written in the same bytes, and forgotten when the thread ends: for tests
/// that write more than fits in memory.
pub(crate) fn keep_to_this_thread() {
    OWN.set(Some(BTreeMap::new()));
}

fn once(what: Hash, make: impl FnOnce() -> Vec<u8>) -> Vec<u8> {
    if OWN.with_borrow(Option::is_some) {
        let known = OWN.with_borrow(|own| own.as_ref()?.get(&what).cloned());
        return known.unwrap_or_else(|| {
            let made = make();
            OWN.with_borrow_mut(|own| own.as_mut()?.insert(what, made.clone()));
            made
        });
    }
    let known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner).get(&what).cloned();
    known.unwrap_or_else(|| {
        let made = make();
        // Of two that were made at once the first stays.
        KNOWN.lock().unwrap_or_else(PoisonError::into_inner).entry(what).or_insert(made).clone()
    })
}
