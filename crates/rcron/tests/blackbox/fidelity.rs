//! A job behaves under `rcron` as it does without it.

use crate::support::fixture::{binary, set_mode};
use crate::support::process::Running;
use crate::support::{Done, Fixture, run};
use std::ffi::OsString;
use std::io::Write;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use testing::niceness;

/// Prints what a process inherits. (Fields such as `VmPeak` differ from run to run.)
const INHERITED: &str = "grep -E '^(Umask|Uid|Gid|Groups|SigQ|SigBlk|SigIgn|SigCgt|CapInh|CapPrm|CapEff|CapBnd|CapAmb|\
    NoNewPrivs|Seccomp|Cpus_allowed):' /proc/self/status | sed 's,^SigQ:.*/,SigQ:,'; cat /proc/self/limits; pwd; \
    readlink /proc/self/ns/*; cat /proc/self/oom_score_adj /proc/self/cgroup; ls /proc/self/fd; \
    cut -d' ' -f6,7 /proc/$$/stat";

/// Runs `line` by a shell, and the same with `rcron` before its last command, written `@`.
fn compare_line(fixture: &Fixture, line: &str) -> (Done, Done) {
    let wrapped = format!("{} --conf {} ", binary().display(), fixture.path("conf").display());
    let run_line = |text: &str| run(Command::new("sh").arg("-c").arg(text).stdin(Stdio::null()));
    (run_line(&line.replace('@', "")), run_line(&line.replace('@', &wrapped)))
}

/// A file system could not be unmounted as long as rcron waits in it.
#[test]
fn rcron_itself_leaves_the_directory_in_which_the_job_stays() {
    let fixture = Fixture::active();
    let line = "until test \"$(readlink /proc/$PPID/cwd)\" = /; do sleep 0.01; done; pwd";
    let done = run(fixture.rcron().args(["sh", "-c", line]).current_dir(fixture.path("")));
    let directory = fixture.path("").canonicalize().expect("a directory");
    assert_eq!(
        (done.code(), done.stdout()),
        (Some(0), format!("{}\n", directory.display()))
    );
}

#[test]
fn all_256_exit_statuses() {
    let fixture = Fixture::active();
    for status in 0..=255 {
        let (bare, wrapped) = fixture.compare(&["sh", "-c", &format!("exit {status}")]);
        assert_eq!(bare.code(), Some(status));
        assert_eq!(bare, wrapped);
    }
}

#[test]
fn arguments_with_every_byte_but_nul() {
    let fixture = Fixture::active();
    let every_byte = OsString::from_vec((1..=255).collect());
    let arguments = [
        OsString::from("%s|"),
        every_byte,
        "".into(),
        " ".into(),
        "$HOME".into(),
        "a\nb".into(),
        "*".into(),
    ];
    let bare = run(Command::new("printf").args(&arguments));
    let wrapped = run(fixture.rcron().arg("printf").args(&arguments));
    assert!(bare.out.len() > 255);
    assert_eq!(bare, wrapped);
}

#[test]
fn environment_with_every_byte_but_nul() {
    let fixture = Fixture::active();
    let every_byte = OsString::from_vec((1..=255).collect());
    let set = |command: &mut Command| run(command.args(["printenv", "BYTES"]).env("BYTES", &every_byte));
    let bare = run(Command::new("printenv").arg("BYTES").env("BYTES", &every_byte));
    assert_eq!(bare.out.len(), 256);
    assert_eq!(bare, set(&mut fixture.rcron()));
}

#[test]
fn stdin_stdout_and_stderr_are_the_jobs() {
    let fixture = Fixture::active();
    let megabyte: Vec<u8> = (0..1 << 20)
        .map(|index: u32| index.to_le_bytes()[0] ^ index.to_le_bytes()[1])
        .collect();
    let mut rcron = fixture.rcron();
    rcron.args(["sh", "-c", "cat; echo error >&2"]).stdin(Stdio::piped());
    let mut running = Running::start(rcron.stdout(Stdio::piped()).stderr(Stdio::piped()));
    let mut stdin = running.0.stdin.take().expect("piped");
    let sent = megabyte.clone();
    let writer = std::thread::spawn(move || stdin.write_all(&sent).expect("written"));
    let done = running.finish();
    writer.join().expect("written");
    assert_eq!((done.out, done.err), (megabyte, b"error\n".to_vec()));
}

#[test]
fn what_is_inherited() {
    let fixture = Fixture::active();
    let job = format!("@sh -c '{}'", INHERITED.replace('\'', "'\\''"));
    for setting in [
        "",
        "umask 027;",
        "cd /usr;",
        "ulimit -n 77; ulimit -c 0; ulimit -f 1000;",
        "exec 7</dev/null;",
        "env --block-signal=TERM,USR1,CHLD,RTMIN",
        "env --ignore-signal=HUP,PIPE,CHLD,INT,QUIT",
        "env --ignore-signal --block-signal",
        "env -i",
    ] {
        let (bare, wrapped) = compare_line(&fixture, &format!("{setting} {job}"));
        assert!(
            bare.stdout().contains("SigIgn:") && bare.stdout().lines().count() > 40,
            "{bare:?}"
        );
        assert_eq!(bare.stdout(), wrapped.stdout(), "{setting}");
        assert_eq!(
            (bare.status, bare.stderr()),
            (wrapped.status, wrapped.stderr()),
            "{setting}"
        );
    }
}

#[test]
fn closed_standard_streams_stay_closed() {
    let fixture = Fixture::active();
    for closing in ["<&-", ">&-", "2>&-", "<&- >&-", "<&- 2>&-", ">&- 2>&-", "<&- >&- 2>&-"] {
        let report = fixture.path("report");
        // `ls` opens the directory as its first free descriptor, which is left out of the comparison.
        let job = format!(
            "@sh -c 'cd /proc/$$/fd; for f in 0 1 2; do [ -e $f ] && echo $f open; done >{}' {closing}",
            report.display()
        );
        let look = |line: &str| {
            run(Command::new("sh").arg("-c").arg(line).stdin(Stdio::null()));
            std::fs::read_to_string(&report).expect("a report")
        };
        let wrapped = format!("{} --conf {} ", binary().display(), fixture.path("conf").display());
        let bare = look(&job.replace('@', ""));
        assert_eq!(bare, look(&job.replace('@', &wrapped)), "{closing}");
    }
}

#[test]
fn a_message_is_never_written_to_another_file() {
    // With stderr closed, the next file opened would be descriptor 2, and get the warning.
    let fixture = Fixture::new(None);
    let (bare, wrapped) = compare_line(&fixture, "@echo ran 2>&- <&-");
    assert_eq!(bare, wrapped);
    assert!(
        std::fs::read_to_string(fixture.path("conf"))
            .expect("there")
            .starts_with("cluster_name = test\n")
    );
}

#[test]
fn a_caller_that_ignores_sigchld_gets_the_status() {
    let fixture = Fixture::active();
    let (bare, wrapped) = compare_line(&fixture, "env --ignore-signal=CHLD @sh -c 'exit 7'");
    assert_eq!(bare.code(), Some(7));
    assert_eq!(bare, wrapped);
}

#[test]
fn a_background_child_that_holds_stdout_delays_nothing() {
    let fixture = Fixture::active();
    // `cat` ends when the test closes its stdin.
    let mut rcron = fixture.rcron();
    rcron
        .args(["sh", "-c", "exec 3<&0; cat <&3 & echo started"])
        .stdin(Stdio::piped());
    let mut running = Running::start(rcron.stdout(Stdio::piped()));
    let holding = running.0.stdin.take();
    assert!(running.wait().success());
    drop(holding);
    assert_eq!(running.finish().stdout(), "started\n");
}

#[test]
fn large_arguments() {
    let fixture = Fixture::active();
    let longest = "x".repeat(128 * 1024 - 1); // execve(2): MAX_ARG_STRLEN with its NUL
    let (bare, wrapped) = fixture.compare(&["printf", "%s", &longest]);
    assert_eq!(bare.out.len(), longest.len());
    assert_eq!(bare, wrapped);
    let line = format!(": {}; echo done", "x".repeat(128 * 1024 - 14));
    assert_eq!(fixture.run([&line]).stdout(), "done\n");
    let many = vec![longest.as_str(); 8];
    let (bare, wrapped) = fixture.compare(&[&["printf", "%s"], many.as_slice()].concat());
    assert_eq!(bare.out.len(), 8 * longest.len());
    assert_eq!(bare, wrapped);
}

#[test]
fn a_script_without_an_interpreter_line_runs() {
    let fixture = Fixture::active();
    fixture.write("script", "echo \"$0 got $# $1\"; exit 4\n");
    let script = fixture.path("script");
    set_mode(&script, 0o755);
    let name = script.display().to_string();
    for (arguments, got) in [(&["a b", "c"][..], "2 a b"), (&[], "0 ")] {
        let done = fixture.run([&[name.as_str()], arguments].concat());
        assert_eq!((done.stdout(), done.code()), (format!("{name} got {got}\n"), Some(4)));
    }
    let path = format!("PATH={}:/usr/bin:/bin", fixture.path("").display());
    assert_eq!(fixture.run([path.as_str(), "script", "x"]).code(), Some(4));
}

#[test]
fn the_job_is_the_only_process_and_a_child_of_rcron() {
    let fixture = Fixture::active();
    let done = fixture.run(["sh", "-c", "cat /proc/$PPID/comm; cat /proc/$PPID/task/*/children | wc -w; ls /proc/$PPID/task | wc -l; cut -d' ' -f5 /proc/$$/stat; echo $$"]);
    let lines: Vec<String> = done.stdout().lines().map(str::to_owned).collect();
    assert_eq!(lines[..3], ["rcron", "1", "1"], "name, children, threads");
    assert_eq!(lines[3], lines[4], "the job leads a process group of its own");
}

#[test]
fn niceness_is_absolute() {
    let fixture = Fixture::active();
    let before = (niceness() + 5).min(19);
    // 100 is out of range, and 0 is used.
    for (level, wanted) in [("12", 12), ("19", 19), ("100", 0)] {
        fixture.configure(&format!("nice_level = {level}\n"));
        let wrapped = format!(
            "nice -n 5 {} --conf {} nice",
            binary().display(),
            fixture.path("conf").display()
        );
        let done = run(Command::new("sh").arg("-c").arg(&wrapped));
        let expected = permitted(wanted, before);
        assert_eq!(done.stdout(), format!("{expected}\n"), "{done:?}");
    }
    let expected = permitted(7, niceness());
    assert_eq!(
        fixture.run(["-o", "nice_level=7", "nice"]).stdout(),
        format!("{expected}\n")
    );
}

/// The niceness that a process gets: only root may lower it.
fn permitted(wanted: i32, before: i32) -> i32 {
    if nix::unistd::geteuid().is_root() {
        wanted
    } else {
        wanted.max(before)
    }
}

#[test]
fn death_by_a_signal_is_passed_on() {
    let fixture = Fixture::active();
    let mut deaths = 0;
    for signal in 1..=64 {
        if NOT_DEADLY.contains(&signal) {
            continue;
        }
        let (bare, wrapped) = fixture.compare(&["sh", "-c", &format!("kill -{signal} $$")]);
        // A signal that whoever runs the tests ignores is none to die of.
        assert_eq!(
            bare.status.signal(),
            wrapped.status.signal(),
            "signal {signal}: {wrapped:?}"
        );
        assert_eq!(bare.code(), wrapped.code(), "signal {signal}: {wrapped:?}");
        assert!(!wrapped.status.core_dumped(), "signal {signal}");
        deaths += u32::from(wrapped.status.signal() == Some(signal));
    }
    assert!(deaths > 50, "{deaths} deaths");
}

/// SIGCHLD, SIGCONT, SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU, SIGURG, SIGWINCH: signal(7).
const NOT_DEADLY: [i32; 8] = [17, 18, 19, 20, 21, 22, 23, 28];
