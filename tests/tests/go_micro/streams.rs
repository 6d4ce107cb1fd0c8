//! Captured streams: what a Go server said is said to a client of ours, and what that says is compared with what the Go
//! client said.

use async_nats::{Client, Subscriber};
use futures::{StreamExt as _, stream};
use micro::{Backends, Code, Json, Status, Streaming};
use micro_conformance::nats_server::NatsServer;
use tokio::sync::mpsc;

use crate::answers::{ADDRESS, client, same_question};
use crate::capture::{Captured, Envelope, LIMIT, captured, subscribed};
use crate::service::{Req, Rsp};

#[tokio::test]
async fn captured_streams_of_v6_are_understood() {
    assert_eq!(replay("v6").await, 5);
}

#[tokio::test]
async fn captured_streams_of_v2_are_understood() {
    assert_eq!(replay("v2").await, 3);
}

/// What either side said on one stream, in order.
#[derive(Default)]
struct Conversation {
    step: String,
    inbox: String,
    said: Vec<Said>,
}

enum Said {
    ByClient(Envelope),
    ByServer(Envelope),
}

fn conversations(generation: &str) -> Vec<Conversation> {
    let mut all: Vec<Conversation> = Vec::new();
    for message in captured(generation) {
        let Some(envelope) = message.envelope() else {
            continue;
        };
        let known = all
            .iter_mut()
            .find(|known| message.subject == known.inbox || message.inbox() == Some(&known.inbox));
        match known {
            Some(known) if message.subject == known.inbox => known.said.push(Said::ByServer(envelope)),
            Some(known) => known.said.push(Said::ByClient(envelope)),
            None if envelope.get("Micro-Stream").is_some() => all.push(opened(&message, envelope)),
            None => {}
        }
    }
    all
}

fn opened(message: &Captured, opening: Envelope) -> Conversation {
    Conversation {
        step: message.step.clone(),
        inbox: message.inbox().unwrap().to_owned(),
        said: vec![Said::ByClient(opening)],
    }
}

async fn replay(generation: &str) -> usize {
    let server = NatsServer::start().await;
    let nats = async_nats::connect(server.url()).await.unwrap();
    let mut requests = subscribed(&nats, ADDRESS).await;
    let backends = client(&server).await;
    let conversations = conversations(generation);
    for conversation in &conversations {
        let mut talk = Talk::open(&backends, &nats, &mut requests, conversation).await;
        for said in &conversation.said[1..] {
            match said {
                Said::ByClient(envelope) => talk.ask(envelope).await,
                Said::ByServer(envelope) => talk.answer(envelope).await,
            }
        }
        talk.late_word().await;
    }
    conversations.len()
}

/// Our client in the place of the Go client, and this test in the place of the Go server.
struct Talk<'a> {
    step: &'a str,
    nats: &'a Client,
    requests: &'a mut Subscriber,
    outgoing: Option<mpsc::Sender<Json<Req>>>,
    incoming: Option<Streaming<Json<Rsp>>>,
    /// Where our client listens, and the id that it gave the stream.
    inbox: String,
    id: String,
}

impl<'a> Talk<'a> {
    async fn open(
        backends: &Backends,
        nats: &'a Client,
        requests: &'a mut Subscriber,
        conversation: &'a Conversation,
    ) -> Self {
        let Some(Said::ByClient(opening)) = conversation.said.first() else {
            panic!("no opening")
        };
        let (outgoing, mut queue) = mpsc::channel(8);
        let items = stream::poll_fn(move |cx| queue.poll_recv(cx).map(|item| item.map(Ok::<_, Status>)));
        let endpoint = opening.get("Micro-Endpoint").unwrap().to_owned();
        let call = backends
            .client()
            .bidi_stream::<_, Json<Rsp>>("greeter", endpoint, Streaming::new(items))
            .header("Foo", "bar");
        let incoming = call.await.unwrap();
        let mut talk = Talk {
            step: &conversation.step,
            nats,
            requests,
            outgoing: Some(outgoing),
            incoming: Some(incoming),
            inbox: String::new(),
            id: String::new(),
        };
        // Servers pass its body over: what it says is another matter in each client.
        let (asked, inbox) = talk.heard(opening, false).await;
        (talk.inbox, talk.id) = (inbox, asked.get("Micro-ID").unwrap().to_owned());
        talk
    }

    /// Has our client say what the Go client said: an item, or the end.
    async fn ask(&mut self, theirs: &Envelope) {
        match theirs.get("Micro-Error") {
            Some(_) => drop((self.outgoing.take(), self.incoming.take())),
            None => {
                let item = serde_json::from_value(theirs.meant()).unwrap();
                self.outgoing.as_ref().unwrap().send(Json(item)).await.unwrap();
            }
        }
        let has_body = theirs.get("Micro-Error").is_none();
        let (_, inbox) = self.heard(theirs, has_body).await;
        assert_eq!(inbox, self.inbox, "{}", self.step);
    }

    /// The next message of our client, which says what this one says.
    async fn heard(&mut self, theirs: &Envelope, same_body: bool) -> (Envelope, String) {
        let message = tokio::time::timeout(LIMIT, self.requests.next()).await;
        let message = message.expect("a message").unwrap();
        let ours = Envelope::read(&message.payload).unwrap();
        same_question(self.step, theirs, &ours);
        if same_body {
            assert_eq!(ours.meant(), theirs.meant(), "{}", self.step);
        }
        (ours, message.reply.unwrap().to_string())
    }

    /// Says what the Go server said, under our client's id, and looks at what that makes of it.
    async fn answer(&mut self, theirs: &Envelope) {
        self.say(theirs).await;
        let incoming = self.incoming.as_mut().unwrap();
        let next = tokio::time::timeout(LIMIT, incoming.next()).await;
        let next = next.expect("a message or the end");
        match theirs.get("Micro-Error") {
            None => {
                let Json(item) = next.unwrap().unwrap();
                assert_eq!(
                    serde_json::to_value(item).unwrap(),
                    theirs.meant(),
                    "{}",
                    self.step
                );
            }
            Some("EOS") => assert!(next.is_none(), "{}: {next:?}", self.step),
            Some(error) => {
                let status = next.unwrap().unwrap_err();
                assert!(error.contains(status.message()), "{}: {status}", self.step);
                assert_eq!(status.id(), Some("greeter"), "{}", self.step);
                assert!(matches!(status.code(), Code::InvalidArgument | Code::Internal));
            }
        }
    }

    async fn say(&self, theirs: &Envelope) {
        let mut said = theirs.clone();
        for name in ["Micro-ID", "Micro-Id", "X-Micro-ID", "X-Micro-Id", "Micro-Stream"] {
            if said.get(name).is_some() {
                said.header[name] = self.id.as_str().into();
            }
        }
        let inbox = self.inbox.clone();
        self.nats.publish(inbox, said.write().into()).await.unwrap();
    }

    /// What comes when a stream has ended does no harm to those after it.
    async fn late_word(self) {
        let late = Envelope {
            header: serde_json::json!({ "Content-Type": "application/json", "Micro-ID": self.id }),
            body: br#"{"msg":"late"}"#.to_vec(),
        };
        self.say(&late).await;
    }
}
