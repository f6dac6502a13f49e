//! Jobs that cannot be started.

use crate::support::{Done, Scene, run};
use std::process::{Command, Stdio};

fn ended(scene: &Scene, words: &[&str], status: i32, message: &str) {
    // A directory that may not be searched would turn "not found" into "permission denied", as with env(1).
    let done = run(scene.rcron().args(words).env("PATH", "/usr/bin:/bin"));
    assert_eq!((done.code(), done.stdout()), (Some(status), String::new()), "{done:?}");
    let message = message.replace('@', &scene.path("").display().to_string());
    assert_eq!(done.stderr(), format!("rcron: {message}\n"));
    let texts = scene.log.texts();
    let [.., start, error, end] = texts.as_slice() else {
        panic!("too few lines: {texts:?}");
    };
    assert!(start.contains(" status=start "), "{texts:?}");
    assert_eq!(error, &format!("error: {message}"));
    assert!(
        end.contains(" status=fail ") && end.contains(&format!(" exit={status} run=")),
        "{texts:?}"
    );
}

#[test]
fn a_program_that_is_not_there_is_127() {
    let scene = Scene::active();
    ended(
        &scene,
        &["no-such-program", "x"],
        127,
        "no-such-program: command not found",
    );
    ended(
        &scene,
        &["/no/such/program", "x"],
        127,
        "/no/such/program: no such file",
    );
    ended(&scene, &["", "x"], 127, "'': command not found");
    scene.write("script", "#!/no/such/interpreter\n");
    crate::support::scene::set_mode(&scene.path("script"), 0o755);
    let script = scene.path("script").display().to_string();
    ended(
        &scene,
        &[&script],
        127,
        "@script: its interpreter, named in its first line, was not found",
    );
}

#[test]
fn a_program_that_cannot_be_executed_is_126() {
    let scene = Scene::active();
    scene.write("plain", "");
    let plain = scene.path("plain").display().to_string();
    ended(&scene, &[&plain, "x"], 126, "cannot execute @plain: Permission denied");
    ended(&scene, &["/", "x"], 126, "cannot execute /: Permission denied");
    let path = format!("PATH=/nowhere:{}", scene.path("").display());
    ended(
        &scene,
        &[&path, "plain", "x"],
        126,
        "cannot execute plain: Permission denied",
    );
}

#[test]
fn shell_syntax_is_recognized_and_the_message_says_how_to_write_it() {
    let hint = "; this looks like a shell command line: quote the whole of it, as in rcron 'cd /x && job'";
    let scene = Scene::active();
    ended(
        &scene,
        &["no-such", "&&", "b"],
        127,
        &format!("no-such: command not found{hint}"),
    );
    ended(
        &scene,
        &["cd", "/x", "&&", "job"],
        127,
        &format!("cd: command not found{hint}"),
    );
    // What can be executed is, with exactly these arguments.
    assert_eq!(scene.run(["echo", "a", "&&", "b"]).stdout(), "a && b\n");
}

#[test]
fn a_process_that_cannot_be_made_is_125() {
    let scene = Scene::active();
    // A limit of processes binds everybody but root, and counts all of a user's: so it is another user's, and 0.
    let limited = |mut command: Command| -> Done {
        let mut prlimit = Command::new("prlimit");
        prlimit
            .arg("--nproc=0")
            .arg(command.get_program())
            .args(command.get_args())
            .stdin(Stdio::null());
        command = prlimit;
        run(&mut command)
    };
    let done = limited(scene.rcron_as_ordinary_user(&["echo", "ran"]));
    assert_eq!((done.code(), done.stdout()), (Some(125), String::new()), "{done:?}");
    assert_eq!(
        done.stderr(),
        "rcron: cannot start a process: Resource temporarily unavailable\n"
    );
    scene.log.wait_for(" status=fail ");
}

#[test]
fn a_guard_that_cannot_watch_starts_nothing() {
    let scene = Scene::active();
    scene.configure("on_demotion = terminate\n");
    let mut command = Command::new("prlimit");
    let rcron = scene.rcron();
    // Standard streams and one more: enough to read files, not to watch one.
    command
        .arg("--nofile=4")
        .arg(rcron.get_program())
        .args(rcron.get_args())
        .args(["echo", "ran"])
        .stdin(Stdio::null());
    let done = run(&mut command);
    assert_eq!((done.code(), done.stdout()), (Some(125), String::new()), "{done:?}");
    assert_eq!(done.stderr(), "rcron: cannot supervise the job: Too many open files\n");
}
