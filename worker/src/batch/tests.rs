//! What comes together is worked off together, and each gets its own answer.

use std::sync::Mutex;

use futures::future::join_all;
use tokio::sync::Semaphore;

use super::*;

/// Answers double; panics at 13; waits for a permit before each batch, and notes the size of each.
struct Doubles {
    go: Semaphore,
    sizes: Mutex<Vec<usize>>,
}

#[async_trait]
impl Batch for Doubles {
    type Item = u32;
    type Answer = u32;

    async fn run(&self, items: Vec<u32>) -> Vec<u32> {
        self.go.acquire().await.unwrap().forget();
        self.sizes.lock().unwrap().push(items.len());
        assert!(!items.contains(&13));
        items.into_iter().map(|item| item * 2).collect()
    }
}

#[tokio::test]
async fn what_comes_during_a_batch_makes_the_next_one() {
    let doubles = Arc::new(Doubles {
        go: Semaphore::new(0),
        sizes: Mutex::default(),
    });
    let batcher = Batcher::start(Arc::clone(&doubles), 4);
    let all = join_all((0..10).map(|n| batcher.submit(n)));
    let (answers, ()) = tokio::join!(all, async {
        tokio::task::yield_now().await;
        doubles.go.add_permits(10);
    });
    assert_eq!(answers, (0..10).map(|n| Some(n * 2)).collect::<Vec<_>>());
    let sizes = doubles.sizes.lock().unwrap().clone();
    assert_eq!(sizes.iter().sum::<usize>(), 10);
    assert!(sizes.len() < 10 && sizes.iter().all(|size| *size <= 4), "{sizes:?}");
}

#[tokio::test]
async fn a_panic_leaves_its_batch_undone_and_no_other() {
    let doubles = Arc::new(Doubles {
        go: Semaphore::new(10),
        sizes: Mutex::default(),
    });
    let batcher = Batcher::start(doubles, 4);
    assert_eq!(batcher.submit(13).await, None);
    assert_eq!(batcher.submit(1).await, Some(2));
}
