//! Callers whose requests have ended, and who wait for the answer.

use micro_core::{Json, Message, Socket, Streaming};

use super::RpcWorld;
use super::peers::{Says, Stage, answer, receive};
use super::stage::{PATIENCE, SERVICE};

/// A node learns that the requests of a client stream have ended, and its one answer is the whole of the call: one of
/// go-micro says nothing after it.
pub async fn a_client_stream_is_answered_when_its_requests_have_ended(world: &RpcWorld) {
    for (says, header, end) in [
        (Says::Everything, "Micro-Control", "half-close"),
        (Says::Nothing, "Micro-Error", "EOS"),
    ] {
        let mut stage = Stage::open(world, says).await;
        let numbers = Streaming::from_iter([1_u64, 2, 3].map(Json));
        let call = stage
            .client
            .client_stream::<_, Json<u64>>(SERVICE, "Test.Sum", numbers);
        let call = tokio::spawn(call.timeout(PATIENCE).into_future());
        let mut socket = stage.listener.accept().await.unwrap();
        let sent = until(&mut socket, header, end).await;
        if says == Says::Nothing {
            let bodies: Vec<_> = sent.iter().skip(1).map(|message| &message.body[..]).collect();
            assert_eq!(
                bodies,
                [b"1\n", b"2\n", b"3\n"],
                "each as it is, after what opens the stream"
            );
        }
        socket.send(answer(&sent[0], "6")).await.unwrap();
        let Json(sum) = call.await.unwrap().unwrap();
        assert_eq!(sum, 6);
    }
}

/// What comes before a message with this header.
async fn until(socket: &mut Socket, header: &str, value: &str) -> Vec<Message> {
    let mut before = Vec::new();
    loop {
        let message = receive(socket).await;
        match message.headers.get(header) == Some(value) {
            true => return before,
            false => before.push(message),
        }
    }
}
