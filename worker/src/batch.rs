//! Work of several jobs done in one go: whoever comes while a batch is being done waits for the next, as long as that
//! takes and no longer. An idle worker makes batches of one.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::{mpsc, oneshot};

/// Does batches.
#[async_trait]
pub(crate) trait Batch: Send + Sync + 'static {
    /// One piece of work.
    type Item: Send + 'static;
    /// What came of it.
    type Answer: Send + 'static;

    /// Does all of it; answers in the order of the items. An item without an answer counts as not done.
    async fn run(&self, items: Vec<Self::Item>) -> Vec<Self::Answer>;
}

type Waiting<B> = (<B as Batch>::Item, oneshot::Sender<<B as Batch>::Answer>);

/// Where work is handed in.
pub(crate) struct Batcher<B: Batch>(mpsc::Sender<Waiting<B>>);

impl<B: Batch> Batcher<B> {
    /// Does batches of at most `limit`, one after the other, until this value is dropped.
    pub(crate) fn start(batch: Arc<B>, limit: usize) -> Self {
        let (sender, mut waiting) = mpsc::channel::<Waiting<B>>(limit);
        tokio::spawn(async move {
            let mut taken = Vec::with_capacity(limit);
            while waiting.recv_many(&mut taken, limit).await > 0 {
                let (items, answers): (Vec<_>, Vec<_>) = taken.drain(..).unzip();
                let batch = Arc::clone(&batch);
                // a panic ends this batch and no other: who waits for it hears that it was not done
                let done = tokio::spawn(async move { batch.run(items).await }).await;
                for (answer, to) in done.unwrap_or_default().into_iter().zip(answers) {
                    let _gone = to.send(answer); // nobody waits any more: its job timed out
                }
            }
        });
        Self(sender)
    }

    /// Hands work in and waits for its answer; `None` if its batch came to no end.
    pub(crate) async fn submit(&self, item: B::Item) -> Option<B::Answer> {
        let (to, answer) = oneshot::channel();
        self.0.send((item, to)).await.ok()?;
        answer.await.ok()
    }
}

#[cfg(test)]
mod tests;
