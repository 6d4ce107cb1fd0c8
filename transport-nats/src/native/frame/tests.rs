use super::kind::{FIN, RESET, STOP};
use super::reason::REASONS;
use super::*;

const SIGN: Sign<'_> = Sign {
    epoch: 3,
    home: "_INBOX.a.1",
};

fn frames() -> Vec<Frame<'static>> {
    let hello = Hello {
        limit: 1 << 22,
        max_message: 1 << 26,
        sign: SIGN,
    };
    let resets = REASONS.map(|reason| Frame::Reset(reason, "why"));
    let mut frames = vec![
        Frame::Hello(hello),
        Frame::Message(b""),
        Frame::Message(b"\0body"),
        Frame::First(1 << 20, b"first"),
        Frame::More(b"more"),
        Frame::Credit {
            limit: 1 << 23,
            packets: 700,
        },
        Frame::Fin,
        Frame::Stop(12),
        Frame::GoAway,
        Frame::Ping,
        Frame::Pong(SIGN),
        Frame::Socket("_INBOX.b.2"),
        Frame::Unknown,
    ];
    frames.extend(resets);
    frames
}

#[test]
fn frames_are_read_as_they_were_written() {
    let mut bytes = Vec::new();
    for frame in frames() {
        put(&mut bytes, &frame);
    }
    let mut rest = &bytes[..];
    for frame in frames() {
        assert_eq!(take(&mut rest), Some(frame));
    }
    assert!(rest.is_empty());
}

#[test]
fn heads_are_those_of_whole_frames() {
    let (mut whole, mut head) = (Vec::new(), Vec::new());
    put(&mut whole, &Frame::First(1000, b"xyz"));
    put_first_head(&mut head, 1000, 3);
    assert_eq!(whole, [&head[..], b"xyz"].concat());
    (whole, head) = (Vec::new(), Vec::new());
    put(&mut whole, &Frame::More(b"xyz"));
    put_more_head(&mut head, 3);
    assert_eq!(whole, [&head[..], b"xyz"].concat());
    (whole, head) = (Vec::new(), Vec::new());
    put(&mut whole, &Frame::Message(&[7; 300]));
    put_message_head(&mut head, 300);
    assert_eq!(
        (head.len(), whole),
        (head_len(300), [&head[..], &[7; 300]].concat())
    );
}

#[test]
fn a_truncated_frame_is_none() {
    for frame in frames() {
        let mut bytes = Vec::new();
        put(&mut bytes, &frame);
        for end in 0..bytes.len() {
            assert_eq!(take(&mut &bytes[..end]), None, "{frame:?}");
        }
    }
}

#[test]
fn what_is_too_much_or_not_known_is_none() {
    for bytes in [
        &[FIN, 1, 0][..],
        &[STOP, 2, 1, 1],
        &[0, 0],
        &[0x3f, 0],
        &[RESET, 2, 0, 0xff],
    ] {
        assert_eq!(take(&mut &bytes[..]), None, "{bytes:?}");
    }
}

#[test]
fn a_reason_of_a_later_version_is_a_failure() {
    assert_eq!(
        take(&mut &[RESET, 1, 99][..]),
        Some(Frame::Reset(Reason::Failed, ""))
    );
}

#[test]
fn a_long_text_is_cut_between_characters() {
    let mut bytes = Vec::new();
    put(&mut bytes, &Frame::Reset(Reason::Failed, &"ü".repeat(150)));
    assert_eq!(
        take(&mut &bytes[..]),
        Some(Frame::Reset(Reason::Failed, &"ü".repeat(100)))
    );
}

#[test]
fn a_subject_that_is_empty_or_too_long_is_none() {
    for len in [0, 1, 255, 256, 5000] {
        let home = "x".repeat(len);
        let sign = Sign {
            epoch: 0,
            home: &home,
        };
        let hello = Frame::Hello(Hello {
            limit: 0,
            max_message: 0,
            sign,
        });
        for frame in [hello, Frame::Pong(sign), Frame::Socket(&home)] {
            let mut bytes = Vec::new();
            put(&mut bytes, &frame);
            let expected = (1..256).contains(&len).then_some(frame);
            assert_eq!(take(&mut &bytes[..]), expected, "{len}");
        }
    }
}
