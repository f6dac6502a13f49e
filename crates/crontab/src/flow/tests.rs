use super::*;
use crate::shell;
use alloc::format;
use alloc::string::String;

fn judged(line: &str) -> Judgement {
    judge(&shell::parse(line.as_bytes()).expect("closed"))
}

fn shown(line: &str) -> Vec<String> {
    let shown = |effect: &Effect| {
        let operator = match effect.act {
            Act::Runs(operator) => operator,
            Act::Truncates => ">",
            Act::Pipes => "|",
        };
        format!(
            "{operator} {} at {}",
            String::from_utf8_lossy(&effect.object),
            effect.offset
        )
    };
    let judgement = judged(line);
    assert_eq!(judgement.unjudged, None, "{line}");
    judgement.effects.iter().map(shown).collect()
}

#[test]
fn effects_on_a_passive_server_are_found() {
    for (line, expected) in [
        ("rcron a && b", &["&& b at 8"][..]),
        ("rcron a; b", &["; b at 7"]),
        ("rcron a & b", &["& b at 8"]),
        ("rcron cd /x && job", &["&& job at 12"]),
        ("rcron a > f", &["> f at 8"]),
        ("rcron a 2> f", &["> f at 9"]),
        ("rcron a &> f && b", &["> f at 8", "&& b at 13"]),
        ("rcron a | b", &["| b at 8"]),
        ("rcron a || b && c", &["&& c at 13"]),
        ("rcron a && rcron b; c", &["; c at 18"]),
        ("rcron a; rcron b > f", &["> f at 17"]),
        ("rcron a > f; rcron b > g", &["> f at 8", "> g at 21"]),
        ("rcron a; [ $? = 0 ] && b", &["&& b at 20"]),
    ] {
        assert_eq!(shown(line), expected, "{line}");
    }
}

/// On a passive server, rcron succeeds.
#[test]
fn compound_commands_are_followed() {
    for (line, expected) in [
        ("(rcron a; b)", &["; b at 8"][..]),
        ("{ rcron a; b; }", &["; b at 9"]),
        ("{ rcron a; } > f", &["> f at 13"]),
        ("(rcron a) >f && b", &["> f at 10", "&& b at 13"]),
        ("if rcron a; then b; fi", &["then b at 12"]),
        ("if rcron a; then b; else c; fi", &["then b at 12"]),
        ("if ! rcron a; then b; else c; fi", &["else c at 22"]),
        ("if true; then rcron a; b; fi", &["; b at 21"]),
        ("if x; then rcron a; fi; b", &["; b at 22"]),
        ("if x; then rcron a; fi > f", &["> f at 23"]),
        ("! rcron a || b", &["|| b at 10"]),
        ("while rcron a; do b; done", &["do b at 15"]),
        ("until ! rcron a; do b; done", &["do b at 17"]),
        ("for x in 1 2; do rcron a; b; done", &["; b at 24"]),
        ("sh -c 'rcron a && b'", &["&& b at 15"]),
        ("sh -c \"rcron a; rcron b > f\"", &["> f at 24"]),
        ("sh -c \"rcron $x; b\"", &["; b at 15"]),
        ("sh -c 'rcron a' > f", &["> f at 16"]),
        ("sh -c 'rcron a' && b", &["&& b at 16"]),
        ("flock -n /lock -c 'rcron a; b'", &["; b at 26"]),
        ("timeout 9 sh -c 'if rcron a; then b; fi'", &["then b at 29"]),
        ("sh -c 'rcron a; echo '\\''b'\\'", &["; echo at 6"]),
    ] {
        assert_eq!(shown(line), expected, "{line}");
    }
}

#[test]
fn harmless_parts_are_not_reported() {
    for line in [
        "rcron a",
        "rcron 'a && b > c | d'",
        "rcron a >/dev/null 2>&1",
        "rcron a >> log 2>&1",
        "rcron a < f",
        "rcron a || alarm",
        "rcron a || alarm | mail",
        "rcron a || { alarm; mail; }",
        "rcron a && rcron b",
        "rcron a; exit 0",
        "rcron a &",
        "rcron a;",
        "cd /x && rcron a",
        "if rcron a; then :; else alarm; fi",
        "if [ -x /x ]; then rcron a; else b; fi",
        "if x; then y; elif z; then rcron a; fi",
        "! rcron a && alarm",
        "if ! rcron a; then alarm; fi",
        "until rcron a; do sleep 1; done",
        "{ rcron a; } 2>&1",
        "(cd /x && rcron a)",
        "sh -c 'cd /x && rcron a'",
        "sh -c 'rcron a || alarm'",
        "rcron sh -c 'a; b > c'",
        "[[ -f x && -f y ]] && rcron a",
        "case x in y) z;; esac",
        "echo $(date); a > f",
    ] {
        assert_eq!(shown(line), [""; 0], "{line}");
    }
}

#[test]
fn constructs_that_are_not_followed_are_named() {
    for (line, offset, construct) in [
        ("case $x in a) rcron a; b;; esac", 12, Construct::Compound),
        ("f() { rcron a; b; }; f", 1, Construct::Compound),
        ("if rcron a; b; fi", 15, Construct::Compound),
        ("echo $(rcron a) b", 5, Construct::Expansion),
        ("x=`rcron a`; b", 0, Construct::Expansion),
        ("sh -c 'rcron \"a'", 6, Construct::Script),
    ] {
        let unjudged = judged(line).unjudged;
        assert_eq!(unjudged, Some(Unjudged { offset, construct }), "{line}");
    }
    let deep = format!("{}rcron a{}", "(".repeat(1000), ")".repeat(1000));
    assert!(judged(&deep).unjudged.is_some());
}

/// Every line of up to five of the parts that have a meaning.
#[test]
fn any_line_is_judged() {
    let parts = [
        "rcron a",
        ";",
        "if ",
        "then ",
        "fi",
        "{ ",
        "}",
        "(",
        ")",
        "!",
        "&&",
        " b",
        ">f",
        "sh -c 'rcron b;",
    ];
    let mut lines = alloc::vec![String::new()];
    for _ in 0..4 {
        lines = lines
            .iter()
            .flat_map(|line| parts.iter().map(move |part| format!("{line}{part} ")))
            .collect();
        for line in &lines {
            if let Ok(commands) = shell::parse(line.as_bytes()) {
                for effect in judge(&commands).effects {
                    assert!(effect.offset < line.len(), "{line}");
                }
            }
        }
    }
}
