//! Work of several jobs done in one go: whoever comes while a batch is being done waits for the next, as long as that
//! takes and no longer. An idle worker makes batches of one.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::{mpsc, oneshot};

use crate::error::WorkError;

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

/// Work of one network, with its places in the batch.
pub(crate) struct Group<T> {
    /// The network.
    pub(crate) network: String,
    places: Vec<usize>,
    /// The work.
    pub(crate) items: Vec<T>,
}

/// A batch by network, and its answers, none of which is there yet.
pub(crate) fn by_network<T, N>(items: Vec<T>, network: impl Fn(&T) -> &str) -> (Vec<Group<T>>, Answers<N>) {
    let answers = Answers(items.iter().map(|_| None).collect());
    let mut groups: BTreeMap<String, (Vec<usize>, Vec<T>)> = BTreeMap::new();
    for (place, item) in items.into_iter().enumerate() {
        let (places, items) = groups.entry(network(&item).to_owned()).or_default();
        places.push(place);
        items.push(item);
    }
    let group = |(network, (places, items))| Group { network, places, items };
    (groups.into_iter().map(group).collect(), answers)
}

/// Answers in the order of a batch's items.
pub(crate) struct Answers<N>(Vec<Option<Result<N, WorkError>>>);

impl<N> Answers<N> {
    /// What came of a group: what was not decided together stays without an answer, and so does all of a group that failed.
    /// One of them may be to blame: each finds out alone.
    pub(crate) fn put<T>(&mut self, group: &Group<T>, done: Result<Vec<Option<N>>, WorkError>) {
        match done {
            Ok(nexts) => {
                for (place, next) in group.places.iter().zip(nexts) {
                    if let Some(answer) = self.0.get_mut(*place) {
                        *answer = next.map(Ok);
                    }
                }
            }
            Err(error) => {
                let error: &dyn std::error::Error = &error;
                tracing::warn!(network = group.network, error, "a batch is done one by one");
            }
        }
    }

    /// All of them.
    pub(crate) fn all(self) -> Vec<Option<Result<N, WorkError>>> {
        self.0
    }
}

#[cfg(test)]
mod tests;
