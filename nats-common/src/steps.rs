//! What the task that reads a subscription is asked to do beside reading.

use tokio::sync::{mpsc, oneshot};

/// Told when a step is taken.
pub(crate) type Done = oneshot::Sender<()>;

/// One thing to do.
pub(crate) enum Step {
    /// The server sends no more when it has sent this many.
    After(u64, Done),
    /// The server sends no more; what it sent comes in, as far as the client lets it.
    Drain(Done),
    /// Everything has been handed on that the client has received.
    CatchUp(Done),
}

/// The end that asks, one step at a time.
#[derive(Debug)]
pub(crate) struct Steps(mpsc::Sender<Step>);

/// Asks nothing yet.
pub(crate) fn channel() -> (Steps, mpsc::Receiver<Step>) {
    let (sender, receiver) = mpsc::channel(1);
    (Steps(sender), receiver)
}

impl Steps {
    /// Returns when the step is taken, or the task has ended and nothing more will come.
    ///
    /// # Cancel safety
    /// The step may still be taken when the future is dropped.
    pub(crate) async fn take(&self, step: impl FnOnce(Done) -> Step) {
        let (done, taken) = oneshot::channel();
        if self.0.send(step(done)).await.is_ok() {
            self.until(taken).await;
        }
    }

    async fn until(&self, taken: oneshot::Receiver<()>) {
        tokio::select! {
            _ = taken => {}
            // What is sent at the very moment in which the task ends stays in the channel, unread, for as long as we do.
            () = self.0.closed() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn a_step_is_waited_for() {
        let (steps, mut asked) = channel();
        let task = tokio::spawn(async move {
            let Some(Step::CatchUp(done)) = asked.recv().await else {
                panic!("another step")
            };
            assert!(!done.is_closed());
            done.send(()).unwrap();
            asked
        });
        steps.take(Step::CatchUp).await;
        drop(task.await.unwrap());
        steps.take(Step::CatchUp).await;
    }

    #[tokio::test]
    async fn nobody_waits_for_a_task_that_ends_while_it_is_asked() {
        let (steps, asked) = channel();
        let room = steps.0.reserve().await.unwrap();
        drop(asked);
        let (done, taken) = oneshot::channel();
        room.send(Step::CatchUp(done));
        let waited = tokio::time::timeout(Duration::from_secs(20), steps.until(taken));
        waited.await.expect("the end is noticed");
    }
}
