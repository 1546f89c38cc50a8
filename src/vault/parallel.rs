//! One way to use all cores: the same work on each item of a list, results in the list's order.

use std::sync::atomic::{AtomicUsize, Ordering};

/// More threads than this are not started: each may hold a whole segment, sealed and open, and memory stays bounded.
const THREADS_MAX: usize = 8;

/// `work` on every item, on as many threads as the machine has cores, up to [`THREADS_MAX`].
pub(crate) fn map<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(THREADS_MAX).min(items.len());
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
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(one)).collect();
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
    fn results_keep_the_order_of_the_items() {
        let items: Vec<u32> = (0..1000).collect();
        assert_eq!(super::map(&items, |n| n * 2), items.iter().map(|n| n * 2).collect::<Vec<_>>());
    }
}
