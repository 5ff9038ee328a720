use super::{
    Accepted, Closing, Decoder, Frame, FrameError, HEADER_BYTES, Handed, Hello, Kind, LedgerEnd, Progress,
    Welcome,
};
use crate::close::Close;
use crate::identity::Role;
use cairn_question::{Moment, PartnerId, QuestionId};
use proptest::prelude::*;

/// Every kind that carries a document, and so may be long.
const ALL: &[Kind] = &Kind::ALL;

fn decode(bytes: &[u8], takes: &'static [Kind]) -> Result<Vec<Frame>, FrameError> {
    let (mut decoder, mut rest, mut frames) = (Decoder::new(takes), bytes, Vec::new());
    while let Some(frame) = decoder.take(&mut rest)? {
        frames.push(frame);
    }
    Ok(frames)
}

fn frames() -> Vec<Frame> {
    let partner = PartnerId::new("fife").unwrap();
    let handed = Handed { asker: PartnerId::new("angus").unwrap(), document: b"handed".to_vec() };
    let end = || LedgerEnd { partner: PartnerId::new("angus").unwrap(), checkpoint: b"end".to_vec() };
    vec![
        Frame::Hello(Hello { role: Role::Node, speaks: vec![1], program: "cairn 0.1.0".into() }),
        Frame::Welcome(Welcome { version: 1, at: Moment::from_unix_s(5) }),
        Frame::Question { within_ms: 30_000, ask: b"{}".to_vec() },
        Frame::Reply(b"{}".to_vec()),
        Frame::Ask(Vec::new()),
        Frame::Accepted(Accepted { question: QuestionId::from_bytes([1; 32]), within_ms: 9, asked: 3 }),
        Frame::Progress(Progress { asked: 3, replied: 1, offline: 1 }),
        Frame::ResultReply { partner, reply: b"reply".to_vec() },
        Frame::ResultCoverage(b"coverage".to_vec()),
        Frame::RegisterRequest,
        Frame::Register(b"register".to_vec()),
        Frame::Fetch(QuestionId::from_bytes([2; 32])),
        Frame::Close(Closing::from(Close::Late)),
        Frame::PolicyCard(b"card".to_vec()),
        Frame::Checkpoint(b"end".to_vec()),
        Frame::Keep(end()),
        Frame::Kept(end()),
        Frame::Flight(b"flight".to_vec()),
        Frame::Linkage(handed),
    ]
}

#[test]
fn every_kind_is_read_as_it_was_written() {
    let frames = frames();
    assert_eq!(frames.iter().map(Frame::kind).collect::<Vec<_>>(), Kind::ALL, "one of each kind, in order");
    let bytes: Vec<u8> = frames.iter().flat_map(|f| f.encode().unwrap()).collect();
    assert!(decode(&bytes, ALL).unwrap() == frames);
}

#[test]
fn the_bytes_of_each_kind_stay_as_they_are() {
    let bytes: Vec<String> =
        frames().iter().map(|f| format!("{} {}", f.kind(), f.encode().unwrap().escape_ascii())).collect();
    insta::assert_snapshot!(bytes.join("\n"));
}

/// A header that announces `length` bytes of `kind`, and no body.
fn header(length: u32, kind: u8) -> Vec<u8> {
    length.to_be_bytes().into_iter().chain([kind]).collect()
}

#[test]
fn hostile_headers() {
    let check = |bytes: &[u8], takes, expect: &str| {
        let error = decode(bytes, takes).map(|f| f.len()).map_err(|e| format!("{} {e}", e.close().code()));
        assert_eq!(error.as_ref().map_or_else(String::as_str, |_| "nothing"), expect, "{bytes:?}");
    };
    check(&header(u32::MAX, 4), ALL, "CI305 a REPLY frame of 4294967295 bytes; the most is 1048576");
    check(&header(1_048_577, 4), ALL, "CI305 a REPLY frame of 1048577 bytes; the most is 1048576");
    check(&header(1_048_576, 4), ALL, "nothing");
    check(&header(4_097, 1), ALL, "CI305 a HELLO frame of 4097 bytes; the most is 4096");
    check(&header(1, 10), ALL, "CI305 a REGISTER_REQUEST frame of 1 bytes; the most is 0");
    check(&header(9, 0), ALL, "CI304 a frame of unknown kind 0");
    check(&header(9, 20), ALL, "CI304 a frame of unknown kind 20");
    check(&header(2_114, 19), ALL, "CI305 a LINKAGE frame of 2114 bytes; the most is 2113");
    check(&header(1_048_577, 18), ALL, "CI305 a FLIGHT frame of 1048577 bytes; the most is 1048576");
    check(&header(1_048_576, 18), ALL, "nothing");
    check(&header(9, 18), &[Kind::Reply], "CI303 a FLIGHT frame does not belong here");
    check(&header(9, 4), &[Kind::Ask], "CI303 a REPLY frame does not belong here");
    check(&header(9, 13), &[], "nothing");
    check(&[0, 0], ALL, "nothing");
}

#[test]
fn hostile_bodies() {
    let refused = |kind: Kind, body: &[u8]| {
        let bytes = [header(u32::try_from(body.len()).unwrap(), kind.number()).as_slice(), body].concat();
        assert_eq!(
            decode(&bytes, ALL).map(|f| f.len()),
            Err(FrameError::Body(kind)),
            "{}",
            body.escape_ascii()
        );
    };
    refused(Kind::Hello, b"");
    refused(Kind::Hello, br#"{"role":"node","speaks":[],"program":""}"#);
    refused(Kind::Hello, br#"{"role":"node","speaks":[1],"program":"","extra":1}"#);
    refused(Kind::Hello, br#"{"role":"god","speaks":[1],"program":""}"#);
    refused(
        Kind::Hello,
        br#"{"role":"node","speaks":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17],"program":""}"#,
    );
    refused(Kind::Hello, "[".repeat(4_096).as_bytes());
    refused(
        Kind::Accepted,
        format!(r#"{{"question":"{}","within_ms":86400001,"asked":1}}"#, "0".repeat(64)).as_bytes(),
    );
    refused(Kind::Question, b"abc");
    refused(Kind::Question, &[0xff; 5]);
    refused(Kind::Fetch, &[0; 31]);
    refused(Kind::ResultReply, b"");
    refused(Kind::ResultReply, b"\x05fife");
    refused(Kind::ResultReply, b"\x04FIFE{}");
    refused(Kind::ResultReply, b"\x00{}");
}

#[test]
fn what_is_too_long_is_not_sent() {
    for frame in [Frame::Reply, Frame::Flight] {
        let error = frame(vec![0; 1_048_577]).encode().unwrap_err();
        assert_eq!(error.close(), Close::TooLong);
        assert!(frame(vec![0; 1_048_576]).encode().is_ok());
    }
}

#[test]
fn debug_shows_the_kind_only() {
    assert_eq!(format!("{:?}", Frame::Reply(b"41 people".to_vec())), "Frame(REPLY)");
    assert_eq!(format!("{:?}", Frame::Flight(b"a mask's seed".to_vec())), "Frame(FLIGHT)");
}

proptest! {
    #[test]
    fn any_bytes_neither_panic_nor_cost_more_than_a_frame(
        start in prop::sample::select(vec![0_u8, 1, 4, 5, 12, 13, 18, 200]),
        length in prop_oneof![0_u32..64, 1_048_000..1_049_000_u32, any::<u32>()],
        bytes in prop::collection::vec(any::<u8>(), 0..2_000),
        piece in 1_usize..100,
    ) {
        let bytes = [header(length, start), bytes].concat();
        let mut decoder = Decoder::new(&[Kind::Hello, Kind::Ask, Kind::Fetch, Kind::Flight]);
        'all: for mut piece in bytes.chunks(piece) {
            loop {
                match decoder.take(&mut piece) {
                    Ok(Some(_)) => {}
                    Ok(None) => break,
                    Err(_) => break 'all,
                }
            }
            // Twice what came, at most the longest kind that is taken here, and a header.
            prop_assert!(decoder.bytes_held() <= Kind::Flight.bytes_max() + 4 * HEADER_BYTES);
            prop_assert!(decoder.bytes_held() <= 2 * bytes.len() + 4 * HEADER_BYTES);
        }
    }

    #[test]
    fn pieces_of_any_size_give_the_same_frames(cuts in prop::collection::vec(1_usize..40, 1..40)) {
        let frames = frames();
        let bytes: Vec<u8> = frames.iter().flat_map(|f| f.encode().unwrap()).collect();
        let (mut decoder, mut rest, mut got) = (Decoder::new(ALL), bytes.as_slice(), Vec::new());
        let mut cuts = cuts.into_iter().cycle();
        while !rest.is_empty() {
            let (mut piece, after) = rest.split_at(cuts.next().unwrap().min(rest.len()));
            rest = after;
            while let Some(frame) = decoder.take(&mut piece).unwrap() {
                got.push(frame);
            }
        }
        prop_assert!(got == frames);
        prop_assert!(!decoder.is_mid_frame());
    }
}
