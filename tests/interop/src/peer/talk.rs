//! `Talk.Chat`: a stream that does what its messages say, as the Go peers have it.

use futures::stream;
use micro::{Code, Json, Status, Streaming};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::drive::Emitter;

/// A message of a stream: a command from the caller, or the answer to it.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Line {
    #[serde(rename = "do", default)]
    command: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    n: u32,
}

/// One conversation. Its end is told when it is dropped, whatever ended it.
struct Chat {
    lines: Streaming<Json<Line>>,
    quiet: u32,
    /// What is left to say of the last `many`.
    many: std::ops::Range<u32>,
    over: bool,
    _ended: Ended,
}

struct Ended {
    emitter: Emitter,
    event: String,
}

impl Drop for Ended {
    fn drop(&mut self) {
        self.emitter.emit(&self.event, json!("ended"));
    }
}

pub(super) fn chat(lines: Streaming<Json<Line>>, emitter: Emitter, event: String) -> Streaming<Json<Line>> {
    let chat = Chat {
        lines,
        quiet: 0,
        many: 0..0,
        over: false,
        _ended: Ended { emitter, event },
    };
    Streaming::new(stream::unfold(chat, Chat::next))
}

impl Chat {
    async fn next(mut self) -> Option<(Result<Json<Line>, Status>, Self)> {
        if self.over {
            return None;
        }
        loop {
            if let Some(n) = self.many.next() {
                return Some((Ok(line("many", n)), self));
            }
            let heard = match self.lines.next().await? {
                Ok(Json(heard)) => heard,
                Err(status) => return self.fail(status),
            };
            match heard.command.as_str() {
                "quiet" => self.quiet += 1,
                "count" => return Some((Ok(line("count", self.quiet)), self)),
                "many" => self.many = 0..heard.n,
                "end" => return None,
                "fail" => return self.fail(Status::new(code(heard.n), heard.text)),
                _ => return Some((Ok(Json(heard)), self)),
            }
        }
    }

    fn fail(mut self, status: Status) -> Option<(Result<Json<Line>, Status>, Self)> {
        self.over = true;
        Some((Err(status), self))
    }
}

fn line(command: &str, n: u32) -> Json<Line> {
    Json(Line {
        command: command.to_owned(),
        text: String::new(),
        n,
    })
}

fn code(number: u32) -> Code {
    match number {
        400 => Code::InvalidArgument,
        404 => Code::NotFound,
        _ => Code::Unknown,
    }
}
