//! Against listeners that do what a daemon should not.

use super::*;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::thread::JoinHandle;
use tempfile::TempDir;

/// Enough on any machine, where an answer is there.
const LONG: Duration = Duration::from_secs(60);
/// Too little for one that never comes.
const SHORT: Duration = Duration::from_millis(50);
const STATUS: Request = Request::Status { nodes: false };

fn place() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("socket");
    (directory, path)
}

/// Reads one request, writes these bytes, then waits until the client is gone if it should stay.
fn daemon(path: &Path, answer: &'static [u8], stays: bool) -> JoinHandle<()> {
    let listener = UnixListener::bind(path).expect("bound");
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client");
        let mut request = [0; 1024];
        assert!(stream.read(&mut request).expect("a request") > 0);
        let _ = stream.write_all(answer);
        if stays {
            let _ = stream.read(&mut request);
        }
    })
}

#[track_caller]
fn told(answer: &'static [u8], stays: bool, limit: Duration) -> Result<Response, NoAnswer> {
    let (_directory, path) = place();
    let daemon = daemon(&path, answer, stays);
    let told = ask(&path, &STATUS, limit);
    daemon.join().expect("served");
    told
}

#[test]
fn the_last_answer_counts() {
    let answer = b"{\"answer\":\"progress\",\"text\":\"one job\"}\n{\"answer\":\"done\",\"lines\":[\"web\"]}\n";
    let lines = vec!["web".to_owned()];
    assert_eq!(told(answer, true, LONG).expect("an answer"), Response::Done { lines });
}

#[test]
fn what_is_no_answer_is_told_from_none() {
    assert!(matches!(told(b"", false, LONG), Err(NoAnswer::Closed)));
    assert!(matches!(
        told(b"{\"answer\":\"done\"", false, LONG),
        Err(NoAnswer::Closed)
    ));
    assert!(matches!(told(b"", true, SHORT), Err(NoAnswer::Late)));
    assert!(matches!(told(b"hello\n", true, LONG), Err(NoAnswer::Garbage(_))));
    assert!(matches!(
        told(b"{\"answer\":\"maybe\"}\n", true, LONG),
        Err(NoAnswer::Garbage(_))
    ));
}

/// Each byte comes in time, but not the answer.
#[test]
fn the_limit_is_for_the_whole_answer() {
    let (_directory, path) = place();
    let listener = UnixListener::bind(&path).expect("bound");
    let daemon = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client");
        while stream.write_all(b" ").is_ok() {
            std::thread::sleep(Duration::from_millis(1));
        }
    });
    assert!(matches!(ask(&path, &STATUS, SHORT), Err(NoAnswer::Late)));
    daemon.join().expect("served");
}

#[test]
fn a_line_without_end_is_not_read_for_ever() {
    let (_directory, path) = place();
    let listener = UnixListener::bind(&path).expect("bound");
    let daemon = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client");
        while stream.write_all(&[b'x'; 1 << 16]).is_ok() {}
    });
    assert!(matches!(ask(&path, &STATUS, LONG), Err(NoAnswer::Garbage(_))));
    daemon.join().expect("served");
}

#[test]
fn a_socket_that_was_left_behind_is_told_from_none() {
    let (_directory, path) = place();
    assert!(matches!(ask(&path, &STATUS, LONG), Err(NoAnswer::NoSocket)));
    drop(UnixListener::bind(&path).expect("bound"));
    assert!(matches!(ask(&path, &STATUS, LONG), Err(NoAnswer::Deaf)));
    std::fs::remove_file(&path).expect("removed");
    std::fs::write(&path, "").expect("written");
    assert!(matches!(ask(&path, &STATUS, LONG), Err(NoAnswer::System(_))));
}

#[test]
fn connecting_to_a_daemon_that_accepts_nobody_ends() {
    let (_directory, path) = place();
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None).expect("a socket");
    socket.bind(&SockAddr::unix(&path).expect("an address")).expect("bound");
    socket.listen(0).expect("listening");
    let _first = Connection::open(&path, LONG).expect("room for one");
    assert!(matches!(Connection::open(&path, SHORT), Err(NoAnswer::Late)));
}
