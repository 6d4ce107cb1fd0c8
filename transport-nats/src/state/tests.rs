//! What a reader finds, after whatever may happen to a socket.

use super::*;

/// What the reader finds, in a form that can be compared.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    Payload(&'static str),
    Wait,
    Settle,
    Error(ErrorKind, usize),
    End,
}

fn found(next: Next) -> Found {
    match next {
        Next::Payload(payload) => Found::Payload(match payload.as_ref() {
            b"a" => "a",
            b"b" => "b",
            other => panic!("{other:?}"),
        }),
        Next::Wait => Found::Wait,
        Next::Settle => Found::Settle,
        Next::Error(error) => Found::Error(error.kind(), error.undelivered()),
        Next::End => Found::End,
    }
}

fn next(state: &mut State) -> Found {
    found(state.next())
}

const GONE: fn(usize) -> Found = |undelivered| Found::Error(ErrorKind::Unavailable, undelivered);

fn with(payloads: &[&'static str]) -> State {
    let mut state = State::new();
    for payload in payloads {
        assert_eq!(state.push(Bytes::from_static(payload.as_bytes())), Pushed::Queued);
    }
    state
}

#[test]
fn what_waits_is_read_before_the_end() {
    let mut state = with(&["a", "b"]);
    state.finished();
    assert_eq!(next(&mut state), Found::Payload("a"));
    assert_eq!(next(&mut state), Found::Payload("b"));
    assert_eq!([next(&mut state), next(&mut state)], [Found::End, Found::End]);
}

#[test]
fn a_failure_is_told_once_and_after_what_waits() {
    let mut state = with(&["a"]);
    state.fail(Failure::new(ErrorKind::Unavailable, "lost"));
    assert_eq!(next(&mut state), Found::Payload("a"));
    assert_eq!([next(&mut state), next(&mut state)], [GONE(0), Found::End]);
    assert!(state.has_failed());
    assert_eq!(state.refusal().unwrap().kind(), ErrorKind::Unavailable);
}

#[test]
fn each_word_of_the_server_stands_for_one_undelivered_message() {
    let mut state = State::new();
    state.reached_nobody();
    assert_eq!(next(&mut state), Found::Settle);
    state.reached_nobody();
    state.reached_nobody();
    assert_eq!(found(state.settled(true)), GONE(3));
    assert_eq!(next(&mut state), Found::End);
}

#[test]
fn nothing_is_claimed_when_somebody_may_have_come_back() {
    let mut state = State::new();
    state.reached_nobody();
    assert_eq!(found(state.settled(false)), GONE(0));
}

#[test]
fn answers_that_come_after_the_first_word_are_read() {
    let mut state = State::new();
    state.reached_nobody();
    assert!(!state.ending.has_heard_since());
    assert_eq!(state.push(Bytes::from_static(b"a")), Pushed::Queued);
    assert!(state.ending.has_heard_since());
    assert_eq!(
        [next(&mut state), next(&mut state)],
        [Found::Payload("a"), Found::Settle]
    );
}

#[test]
fn a_leaving_listener_takes_nothing_and_still_answers() {
    let mut state = State::new();
    state.left();
    assert_eq!(state.refusal().unwrap().kind(), ErrorKind::Unavailable);
    assert_eq!(next(&mut state), Found::Wait);
    state.reached_nobody();
    assert_eq!(next(&mut state), Found::Settle);
    assert_eq!(found(state.settled(true)), GONE(1));
    assert_eq!(next(&mut state), Found::Wait);
    state.push(Bytes::from_static(b"a"));
    state.finished();
    assert_eq!(
        [next(&mut state), next(&mut state)],
        [Found::Payload("a"), Found::Settle]
    );
    assert_eq!(found(state.settled(true)), Found::End);
}

#[test]
fn the_end_of_a_leaving_listener_waits_for_the_servers_words() {
    let mut state = State::new();
    state.left();
    state.stopped(1);
    state.finished();
    assert_eq!(next(&mut state), Found::Settle);
    state.reached_nobody();
    assert_eq!(found(state.settled(true)), GONE(2));
    assert_eq!(next(&mut state), Found::End);
}

#[test]
fn an_end_that_comes_while_the_servers_words_are_counted_is_not_missed() {
    let mut state = State::new();
    state.left();
    state.reached_nobody();
    assert_eq!(next(&mut state), Found::Settle);
    state.finished();
    assert_eq!(found(state.settled(true)), GONE(1));
    assert_eq!(next(&mut state), Found::End);
}

#[test]
fn what_the_peer_left_unread_is_told_at_the_end() {
    let mut state = State::new();
    state.stopped(2);
    assert_eq!(state.refusal().unwrap().kind(), ErrorKind::Closed);
    assert_eq!(next(&mut state), Found::Wait);
    state.finished();
    assert_eq!([next(&mut state), next(&mut state)], [GONE(2), Found::End]);
}

#[test]
fn a_reader_that_leaves_says_what_it_left() {
    let mut state = with(&["a", "b"]);
    assert_eq!(state.next_payload(), "a");
    assert_eq!(state.abandon(), Some(1));
    assert_eq!(state.push(Bytes::from_static(b"a")), Pushed::Ignored);
    let mut state = State::new();
    state.finished();
    assert_eq!(state.abandon(), None);
}

#[test]
fn a_slow_reader_ends_its_socket_and_nothing_grows() {
    let mut state = State::new();
    for _ in 0..QUEUE_MESSAGES {
        assert_eq!(state.push(Bytes::from_static(b"a")), Pushed::Queued);
    }
    assert_eq!(state.push(Bytes::from_static(b"a")), Pushed::Overflow);
    assert_eq!(state.push(Bytes::from_static(b"a")), Pushed::Ignored);
    for _ in 0..QUEUE_MESSAGES {
        assert_eq!(next(&mut state), Found::Payload("a"));
    }
    assert_eq!(next(&mut state), Found::Error(ErrorKind::Lagged(1), 0));
    assert_eq!(next(&mut state), Found::End);
}

#[test]
fn waiting_bytes_are_bounded_too() {
    let mut state = State::new();
    let half = Bytes::from(vec![0; QUEUE_BYTES / 2]);
    assert_eq!(state.push(half.clone()), Pushed::Queued);
    assert_eq!(state.push(half.clone()), Pushed::Queued);
    assert!(matches!(state.next(), Next::Payload(_)));
    assert_eq!(state.push(half), Pushed::Queued);
    assert_eq!(state.push(Bytes::from_static(b"a")), Pushed::Overflow);
}

#[test]
fn a_socket_that_went_deaf_gives_back_what_comes() {
    let mut state = State::new();
    state.deafen();
    let payload = Bytes::from_static(b"a");
    assert_eq!(state.push(payload.clone()), Pushed::Over(payload));
    assert_eq!(next(&mut state), Found::End);
    assert!(state.refusal().is_none());
}

impl State {
    fn next_payload(&mut self) -> &'static str {
        match next(self) {
            Found::Payload(payload) => payload,
            other => panic!("{other:?}"),
        }
    }
}
