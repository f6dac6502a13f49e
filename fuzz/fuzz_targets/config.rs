//! Any bytes are a configuration, or are refused with a place that exists; as an option too.
#![no_main]

use libfuzzer_sys::fuzz_target;
use policy::config::Config;

fuzz_target!(|bytes: &[u8]| {
    let lines = bytes.split(|byte| *byte == b'\n').count();
    match Config::default().read(bytes) {
        Ok(warnings) => assert!(warnings.iter().all(|problem| problem.line <= lines)),
        Err(problems) => {
            for problem in problems {
                assert!((1..=lines).contains(&problem.line));
                let report = problem.report(b"rcron.conf").to_string();
                assert!(report.contains('^') && !report.contains('\r') && !report.contains('\u{1b}'));
                assert!(!problem.summary(b"rcron.conf").contains('\n'));
            }
        }
    }
    if let Err(problem) = Config::default().set(bytes) {
        assert!(!problem.summary(b"--option").is_empty());
    }
});
