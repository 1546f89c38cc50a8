//! Two ways to use all cores: [`map`], the same work on each item of a list; and a [`Crew`], for work that comes up as one
//! goes along, each piece awaited where its result is needed.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::Scope;
use std::time::Duration;

use crate::store::hygiene::leaving_nothing;

/// More threads than this are not started: each may hold a whole segment, sealed and open, and memory stays bounded.
const THREADS_MAX: usize = 8;

thread_local! {
    static ALONE: Cell<bool> = const { Cell::new(false) };
}

/// Does something as on a machine of one core, where a crew has one thread: for whoever has work for all cores already, such
/// as a thousand vaults to look at, and would only pay for the threads. What comes of it is the same.
pub fn alone<R>(work: impl FnOnce() -> R) -> R {
    struct Before(bool);
    impl Drop for Before {
        fn drop(&mut self) {
            ALONE.set(self.0);
        }
    }
    let _before = Before(ALONE.replace(true));
    work()
}

/// As many threads as the machine has cores, up to [`THREADS_MAX`]. Asked once: the system looks it up in several files.
pub(crate) fn cores() -> usize {
    static CORES: OnceLock<usize> = OnceLock::new();
    if ALONE.get() {
        return 1;
    }
    *CORES.get_or_init(|| std::thread::available_parallelism().map_or(1, usize::from).min(THREADS_MAX))
}

/// Threads that work on what they are given, in its order, until nobody can give them more.
pub(crate) struct Crew<'scope>(Sender<Work<'scope>>);

type Work<'scope> = Box<dyn FnOnce() + Send + 'scope>;

/// The result of a piece of work that was begun.
pub(crate) struct Pending<R>(Receiver<R>);

impl<'scope> Crew<'scope> {
    /// So many threads; they end with the last clone of what is returned.
    pub(crate) fn muster(scope: &'scope Scope<'scope, '_>, threads: usize) -> Self {
        let (give, take) = channel::<Work<'scope>>();
        let take = Arc::new(Mutex::new(take));
        let is_alone = ALONE.get();
        for _ in 0..threads {
            let take = Arc::clone(&take);
            let work = move || {
                ALONE.set(is_alone);
                loop {
                    // The lock is not held while it works: the next thread waits for the next piece meanwhile.
                    let next = take.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    let Ok(work) = next else { break };
                    work();
                }
            };
            scope.spawn(|| leaving_nothing(work));
        }
        Self(give)
    }

    /// Begins a piece of work. How much waits is for the caller to bound.
    pub(crate) fn begin<R: Send + 'scope>(&self, work: impl FnOnce() -> R + Send + 'scope) -> Pending<R> {
        let (result, give) = Pending::promised();
        self.0.send(Box::new(move || give(work()))).expect("a crew waits for work as long as it can be given any");
        result
    }
}

impl Clone for Crew<'_> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<R> Pending<R> {
    /// Waits for it so long; gives back what is to be waited for where it did not come.
    ///
    /// # Panics
    ///
    /// When the work has.
    pub(crate) fn wait_at_most(self, time: Duration) -> Result<R, Self> {
        match self.0.recv_timeout(time) {
            Ok(result) => Ok(result),
            Err(RecvTimeoutError::Timeout) => Err(self),
            Err(RecvTimeoutError::Disconnected) => panic!("the work did not panic"),
        }
    }

    /// A result that somebody is going to give.
    pub(crate) fn promised() -> (Self, impl FnOnce(R)) {
        let (give, take) = channel();
        // Whoever no longer wants the result has dropped the other end.
        (Self(take), move |result| give.send(result).unwrap_or_default())
    }

    /// A result that is here.
    pub(crate) fn ready(result: R) -> Self {
        let (pending, give) = Self::promised();
        give(result);
        pending
    }

    /// Waits for it.
    ///
    /// # Panics
    ///
    /// When the work has.
    pub(crate) fn wait(self) -> R {
        self.0.recv().expect("the work did not panic")
    }
}

/// `work` on every item, on as many threads as the machine has cores, results in the list's order.
pub(crate) fn map<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let threads = cores().min(items.len());
    if threads <= 1 {
        return items.iter().map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let one = || {
        // Kept until the end: handing each result over would wake another thread for every item.
        let mut done = Vec::with_capacity(items.len() / threads + 1);
        while let Some((index, item)) = {
            let index = next.fetch_add(1, Ordering::Relaxed);
            items.get(index).map(|item| (index, item))
        } {
            done.push((index, work(item)));
        }
        done
    };
    let mut results: Vec<Option<R>> = items.iter().map(|_| None).collect();
    std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(|| leaving_nothing(one))).collect();
        let mut take =
            |done: Vec<(usize, R)>| done.into_iter().for_each(|(index, result)| results[index] = Some(result));
        take(one());
        for thread in others {
            take(thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
    });
    results.into_iter().map(|result| result.expect("every item was worked on")).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_crew_does_all_it_is_given_and_ends() {
        let items: Vec<u32> = (0..1000).collect();
        let done = std::thread::scope(|scope| {
            let crew = super::Crew::muster(scope, 3);
            let pending: Vec<_> = items.iter().map(|n| crew.begin(move || n * 2)).collect();
            pending.into_iter().map(super::Pending::wait).collect::<Vec<_>>()
        });
        assert_eq!(done, items.iter().map(|n| n * 2).collect::<Vec<_>>());
    }

    #[test]
    fn who_works_alone_starts_no_thread() {
        let here = std::thread::current().id();
        let threads = || super::map(&[0; 100], |_| std::thread::current().id());
        assert!(super::alone(threads).iter().all(|thread| *thread == here));
        assert!(std::panic::catch_unwind(|| super::alone(|| panic!("on its way"))).is_err());
        assert!(!super::ALONE.get());
    }

    #[test]
    fn results_keep_the_order_of_the_items() {
        let items: Vec<u32> = (0..1000).collect();
        assert_eq!(super::map(&items, |n| n * 2), items.iter().map(|n| n * 2).collect::<Vec<_>>());
    }
}
