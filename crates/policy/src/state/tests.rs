use super::*;
use alloc::borrow::ToOwned;
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
            ..State::new(Word::Active)
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

const SESSION: &str = "0123456789abcdef0123456789abcdef";

#[test]
fn shared_needs_passive_a_lease_and_a_session() {
    let lease = "until=5 boot=b";
    let shared = Some(SESSION.to_owned());
    for (line, expected) in [
        (format!("passive shared {lease} session={SESSION}"), shared.clone()),
        (format!("PASSIVE session={SESSION} {lease} shared"), shared.clone()),
        (
            format!("passive shared draining {lease} session={SESSION} by=a"),
            shared,
        ),
        (format!("passive {lease} session={SESSION}"), None),
        (format!("passive Shared {lease} session={SESSION}"), None),
        (format!("passive shared, {lease} session={SESSION}"), None),
        (format!("passive shared=1 {lease} session={SESSION}"), None),
        (format!("passive shared session={SESSION}"), None),
        (format!("passive shared until=5 session={SESSION}"), None),
        (format!("passive shared until=x boot=b session={SESSION}"), None),
        (format!("passive shared {lease} epoch=1 session={SESSION}"), None),
        (format!("passive shared {lease} epoch=x session={SESSION}"), None),
        (format!("passive shared {lease} Epoch=1 session={SESSION}"), None),
        (format!("passive shared {lease}"), None),
        (format!("passive shared {lease} session="), None),
        (format!("passive shared {lease} Session={SESSION}"), None),
        (
            format!("passive shared {lease} session={SESSION} session={SESSION}"),
            None,
        ),
        (format!("passive shared {lease} session={SESSION}0"), None),
        (
            format!("passive shared {lease} session={}", SESSION.to_uppercase()),
            None,
        ),
        (
            format!("passive shared {lease} session={}", "g".repeat(SESSION.len())),
            None,
        ),
        (
            format!("passive shared {lease} session={SESSION}{}", " ".repeat(LONGEST_LINE)),
            None,
        ),
        (format!("active {lease} session={SESSION}"), None),
    ] {
        let state = State::parse(line.as_bytes()).expect("a state");
        assert_eq!(state.shared, expected, "{line:.100}");
        let written = State::parse(&state.line()).map(|state| state.shared);
        assert_eq!(written, Ok(expected), "{line:.100}");
    }
}

#[test]
fn active_and_shared_contradict_each_other() {
    for line in [
        "active shared".to_owned(),
        format!("active shared until=5 boot=b session={SESSION}"),
        format!("active shared until=5 boot=b epoch=1 session={SESSION}"),
    ] {
        let state = State::parse(line.as_bytes()).expect("a state");
        assert_eq!((state.lease, state.shared), (Lease::Malformed, None), "{line}");
    }
    // A remark is none of rcrond's words.
    assert_eq!(lease("active Shared by all"), Lease::None);
}

#[test]
fn the_identity_is_the_epoch_or_the_session() {
    let shared = format!("passive shared until=5 boot=b session={SESSION}");
    for (line, expected) in [
        ("active", None),
        ("active epoch=42", Some("42")),
        ("active until=5 boot=b epoch=0042 draining", Some("42")),
        ("active epoch=x", None),
        ("active epoch=42 session=0123456789abcdef0123456789abcdef", Some("42")),
        ("passive", None),
        ("passive epoch=42", None),
        (&shared, Some(SESSION)),
    ] {
        let identity = State::parse(line.as_bytes()).expect("a state").identity();
        assert_eq!(identity.as_deref(), expected, "{line}");
    }
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
            let active = State { lease: lease.clone(), draining, epoch, by: by.clone(), since: by.clone(), ..State::new(Word::Active) };
            let shared = matches!(lease, Lease::Until { .. }).then(|| SESSION.to_owned());
            let epoch = epoch.filter(|_| shared.is_none());
            let passive = State { shared, epoch, word: Word::Passive, ..active.clone() };
            for state in [active, passive] {
                prop_assert_eq!(State::parse(&state.line()), Ok(state));
            }
        }
    }
}
