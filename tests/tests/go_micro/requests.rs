//! Captured requests, said to a service of ours: its answers mean what the captured ones mean.

use std::collections::HashMap;

use async_nats::{Client, Subscriber};
use micro_conformance::nats_server::NatsServer;
use serde_json::Value;

use crate::capture::{Captured, Envelope, captured, next, subscribed};
use crate::service::{Manner, V2, V6, greeter};

#[tokio::test]
async fn captured_requests_of_v6_are_answered_as_captured() {
    assert!(replay("v6", V6).await >= 23);
}

#[tokio::test]
async fn captured_requests_of_v2_are_answered_as_captured() {
    assert!(replay("v2", V2).await >= 14);
}

/// Says the requests in order, each capture on inboxes of its own; returns how many answers were compared.
async fn replay(generation: &str, manner: Manner) -> usize {
    let server = NatsServer::start().await;
    let service = greeter(&server, manner).await;
    let nats = async_nats::connect(server.url()).await.unwrap();
    let mut talk = Talk {
        address: service.address().to_owned(),
        nats,
        inboxes: HashMap::new(),
        compared: 0,
    };
    for message in captured(generation) {
        talk.say(&message).await;
    }
    talk.compared
}

struct Talk {
    address: String,
    nats: Client,
    /// By the captured inbox.
    inboxes: HashMap<String, (String, Subscriber)>,
    compared: usize,
}

impl Talk {
    async fn say(&mut self, message: &Captured) {
        let Some(envelope) = message.envelope() else {
            return;
        };
        let key = |inbox: &str| format!("{} {inbox}", message.capture);
        if let Some((_, answers)) = self.inboxes.get_mut(&key(&message.subject)) {
            let ours = next(answers).await;
            compare(message, &envelope, &ours);
            self.compared += 1;
        } else if let Some(inbox) = message
            .inbox()
            .filter(|_| envelope.get("Micro-Service").is_some())
        {
            self.request(key(inbox), &envelope).await;
        }
    }

    async fn request(&mut self, key: String, envelope: &Envelope) {
        if !self.inboxes.contains_key(&key) {
            let inbox = self.nats.new_inbox();
            let answers = subscribed(&self.nats, &inbox).await;
            self.inboxes.insert(key.clone(), (inbox, answers));
        }
        let (inbox, answers) = self.inboxes.get_mut(&key).unwrap();
        let payload = envelope.write().into();
        self.nats
            .publish_with_reply(self.address.clone(), inbox.clone(), payload)
            .await
            .unwrap();
        // These go-micro does not answer at all; ours answers with an error.
        let unanswered = envelope.get("Micro-Endpoint") == Some("Greeter.Panic") || envelope.body == b"fail";
        if unanswered {
            assert!(next(answers).await.get("Micro-Error").is_some());
            self.compared += 1;
        }
    }
}

fn compare(message: &Captured, theirs: &Envelope, ours: &Envelope) {
    let about = format!("{} {}: {ours:?}", message.capture, message.step);
    // A go-micro server answers without an id where it does not know the spelling; ours knows both, and answers in the
    // new one where a request has both.
    let both = message.step == "stop";
    for name in ["Micro-ID", "Micro-Id"] {
        if theirs.get(name).is_some() && !both {
            assert_eq!(ours.get(name), theirs.get(name), "{about}");
        }
    }
    assert_eq!(ours.get("Content-Type"), theirs.get("Content-Type"), "{about}");
    // No header that a Go server does not send there, but for an id where that knows none.
    let extra: Vec<_> = ours
        .names(|name| theirs.get(name).is_none() && !["Micro-ID", "Micro-Id"].contains(&name))
        .into_iter()
        .collect();
    assert!(extra.is_empty(), "{extra:?} in {about}");
    match theirs.get("Micro-Error") {
        Some(error) => assert!(
            says_the_same(error, ours.get("Micro-Error").unwrap_or_default()),
            "{about}"
        ),
        None => {
            assert_eq!(ours.get("Micro-Error"), None, "{about}");
            assert_eq!(ours.meant(), theirs.meant(), "{about}");
        }
    }
}

/// A go-micro error is the same JSON. Bare text has no code; ours is in the detail, and may say more.
fn says_the_same(theirs: &str, ours: &str) -> bool {
    match serde_json::from_str::<Value>(theirs) {
        Ok(theirs) => serde_json::from_str::<Value>(ours).is_ok_and(|ours| ours == theirs),
        Err(_) if theirs == "EOS" => ours == "EOS",
        Err(_) => {
            let ours: Value = serde_json::from_str(ours).unwrap_or_default();
            ours["detail"]
                .as_str()
                .is_some_and(|detail| detail.starts_with(theirs))
        }
    }
}
