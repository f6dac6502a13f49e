use super::*;
use proptest::prelude::*;

fn word(text: &[u8]) -> Result<Word, NoState> {
    State::parse(text).map(|state| state.word)
}

fn lease(text: &str) -> Lease {
    State::parse(text.as_bytes()).expect("a state").lease
}

#[test]
fn the_first_word_of_the_first_line_decides() {
    for text in [
        "active",
        "active\n",
        "Active\n",
        "ACTIVE\r\n",
        " active\n",
        "\tactive",
        "active   \n",
        "active since monday\n",
        "active\npassive\n",
        "active\u{c}",
        "active draining the swamp?",
    ] {
        assert_eq!(word(text.as_bytes()), Ok(Word::Active), "{text:?}");
    }
    for text in ["passive", "PASSIVE\r\n", "passive since monday\n", "passive\nactive\n"] {
        assert_eq!(word(text.as_bytes()), Ok(Word::Passive), "{text:?}");
    }
}

#[test]
fn nothing_else_counts_as_a_state() {
    for (text, why) in [
        (&b""[..], NoState::Empty),
        (b"\n", NoState::BlankLine),
        (b"\nactive\n", NoState::BlankLine),
        (b"   \r\n", NoState::BlankLine),
        (b"inactive\n", NoState::OtherWord),
        (b"proactive", NoState::OtherWord),
        (b"activepassive", NoState::OtherWord),
        (b"xpassive", NoState::OtherWord),
        (b"actively", NoState::OtherWord),
        (b"active,passive", NoState::OtherWord),
        (b"not active", NoState::OtherWord),
        (b"\0active", NoState::OtherWord),
        (b"active\0", NoState::OtherWord),
        (b"\xef\xbb\xbfactive\n", NoState::OtherWord),
        (b"a\xffctive", NoState::OtherWord),
    ] {
        assert_eq!(word(text), Err(why), "{text:?}");
    }
}

#[test]
fn the_first_word_decides_however_long_the_line_is() {
    let lease = |text: &[u8]| State::parse(text).map(|state| state.lease);
    let mut text = b"active".to_vec();
    text.resize(LONGEST_LINE, b' ');
    assert_eq!(lease(&text), Ok(Lease::None));
    text.push(b' ');
    assert_eq!((word(&text), lease(&text)), (Ok(Word::Active), Ok(Lease::Malformed)));
    let passive = [b"passive", &text[6..]].concat();
    assert_eq!((word(&passive), lease(&passive)), (Ok(Word::Passive), Ok(Lease::None)));
    assert_eq!(word(&[b"x", &text[..]].concat()), Err(NoState::OtherWord));
    assert_eq!(word(&text[6..]), Err(NoState::BlankLine));
    text.truncate(LONGEST_LINE);
    text.extend_from_slice(b"\nlater lines do not count");
    assert_eq!(word(&text), Ok(Word::Active));
}

#[test]
fn a_remark_of_a_megabyte_is_cut() {
    let state = State::parse(format!("active by={}", "x".repeat(1 << 20)).as_bytes()).expect("a state");
    assert_eq!(state.by.map(|by| by.len()), Some(LONGEST_REMARK));
}

#[test]
fn attributes_are_read() {
    let state = State::parse(b"active until=83125.402 boot=7c1e epoch=42 by=server1 since=2026-11-23T09:15:02Z\n");
    let end = BootTime(Duration::from_millis(83_125_402));
    assert_eq!(
        state,
        Ok(State {
            word: Word::Active,
            lease: Lease::Until {
                end,
                boot: b"7c1e".to_vec()
            },
            draining: false,
            epoch: Some(42),
            by: Some(b"server1".to_vec()),
            since: Some(b"2026-11-23T09:15:02Z".to_vec()),
            reason: None,
        })
    );
    for line in [
        "active epoch=1 draining",
        "active Draining",
        "active draining, says Bob",
        "active draining=1",
    ] {
        assert!(
            State::parse(line.as_bytes()).is_ok_and(|state| state.draining),
            "{line}"
        );
    }
    assert!(State::parse(b"active since the drainings").is_ok_and(|state| !state.draining));
}

#[test]
fn a_lease_is_whole_or_malformed() {
    let until = |milliseconds| Lease::Until {
        end: BootTime(Duration::from_millis(milliseconds)),
        boot: b"b".to_vec(),
    };
    for (line, expected) in [
        ("active", Lease::None),
        ("active Until=5", Lease::Malformed),
        ("active BOOT=b", Lease::Malformed),
        ("active until=5 boot=b Epoch=1", Lease::Malformed),
        ("active until monday", Lease::None),
        ("active by=x epoch=3", Lease::None),
        ("active until=5 boot=b", until(5000)),
        ("active boot=b until=5.25", until(5250)),
        (
            "active until=0.000000001 boot=b",
            Lease::Until {
                end: BootTime(Duration::from_nanos(1)),
                boot: b"b".to_vec(),
            },
        ),
        ("active until=5", Lease::Malformed),
        ("active boot=b", Lease::Malformed),
        ("active until= boot=b", Lease::Malformed),
        ("active until=5 boot=", Lease::Malformed),
        ("active until=5. boot=b", Lease::Malformed),
        ("active until=.5 boot=b", Lease::Malformed),
        ("active until=5.0000000001 boot=b", Lease::Malformed),
        ("active until=-5 boot=b", Lease::Malformed),
        ("active until=+5 boot=b", Lease::Malformed),
        ("active until=5s boot=b", Lease::Malformed),
        ("active until=1e9 boot=b", Lease::Malformed),
        ("active until=99999999999999999999 boot=b", Lease::Malformed),
        ("active until=5 until=6 boot=b", Lease::Malformed),
        ("active until=5 boot=b boot=c", Lease::Malformed),
        ("active until=5 boot=b epoch=x", Lease::Malformed),
        ("active epoch=", Lease::Malformed),
        ("active epoch=1 epoch=2", Lease::Malformed),
    ] {
        assert_eq!(lease(line), expected, "{line}");
    }
}

#[test]
fn a_reason_is_read_as_it_was_written_and_an_unknown_one_is_ignored() {
    let reason = |line: &[u8]| State::parse(line).map(|state| state.reason);
    assert_eq!(reason(b"passive reason=no-keepalived"), Ok(Some(Reason::NoKeepalived)));
    assert_eq!(reason(b"passive reason=maintenance"), Ok(None));
    for written in Reason::ALL {
        let state = State {
            reason: Some(written),
            ..State::parse(b"passive by=x").expect("a state")
        };
        assert_eq!(State::parse(&state.line()), Ok(state));
    }
}

proptest! {
    #[test]
    fn any_bytes_are_a_state_only_if_their_first_word_is_one(bytes: Vec<u8>) {
        if let Ok(state) = State::parse(&bytes) {
            let start = bytes.trim_ascii_start();
            prop_assert!(start[..state.word.as_str().len()].eq_ignore_ascii_case(state.word.as_str().as_bytes()));
        }
    }

    #[test]
    fn a_written_lease_is_read_back(seconds in 0u64..u64::MAX / 2, milliseconds in 0u32..1000, boot in "[0-9a-f-]{1,36}") {
        let line = alloc::format!("active until={seconds}.{milliseconds:03} boot={boot}");
        let end = BootTime(Duration::new(seconds, milliseconds * 1_000_000));
        prop_assert_eq!(lease(&line), Lease::Until { end, boot: boot.into_bytes() });
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(milliseconds in 0u64..1 << 45, epoch: Option<u64>, by in proptest::option::of("[!-~]{1,20}"), draining: bool) {
        for lease in [Lease::None, Lease::Malformed, Lease::Until { end: BootTime(Duration::from_millis(milliseconds)), boot: b"b".to_vec() }] {
            let by = by.as_ref().map(|by| by.as_bytes().to_vec());
            let state = State { word: Word::Active, lease, draining, epoch, by: by.clone(), since: by, reason: None };
            prop_assert_eq!(State::parse(&state.line()), Ok(state));
        }
    }
}
