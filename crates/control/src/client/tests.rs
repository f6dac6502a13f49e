//! The client against listeners that behave as rcrond never does.

use super::*;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::thread::JoinHandle;
use tempfile::TempDir;

/// Enough on each machine, if an answer comes.
const LONG: Duration = Duration::from_secs(60);
/// For an answer that never comes.
const SHORT: Duration = Duration::from_millis(50);
const STATUS: Request = Request::Status { nodes: false };

fn socket_path() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("socket");
    (directory, path)
}

/// Reads one request and writes these bytes. If `stays`, it then waits until the client has closed the connection.
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
fn ask_daemon(answer: &'static [u8], stays: bool, limit: Duration) -> Result<Response, NoAnswer> {
    let (_directory, path) = socket_path();
    let daemon = daemon(&path, answer, stays);
    let answer = ask(&path, &STATUS, limit);
    daemon.join().expect("served");
    answer
}

#[test]
fn the_last_answer_counts() {
    let answer = b"{\"answer\":\"progress\",\"text\":\"one job\"}\n{\"answer\":\"done\",\"lines\":[\"web\"]}\n";
    let lines = vec!["web".to_owned()];
    assert_eq!(
        ask_daemon(answer, true, LONG).expect("an answer"),
        Response::Done { lines }
    );
}

#[test]
fn a_missing_answer_and_an_invalid_one_are_different_errors() {
    assert!(matches!(ask_daemon(b"", false, LONG), Err(NoAnswer::Closed)));
    assert!(matches!(
        ask_daemon(b"{\"answer\":\"done\"", false, LONG),
        Err(NoAnswer::Closed)
    ));
    assert!(matches!(ask_daemon(b"", true, SHORT), Err(NoAnswer::TimedOut)));
    assert!(matches!(ask_daemon(b"hello\n", true, LONG), Err(NoAnswer::Invalid(_))));
    assert!(matches!(
        ask_daemon(b"{\"answer\":\"maybe\"}\n", true, LONG),
        Err(NoAnswer::Invalid(_))
    ));
}

/// Each byte comes in time, but the answer does not.
#[test]
fn the_limit_applies_to_the_whole_answer() {
    let (_directory, path) = socket_path();
    let listener = UnixListener::bind(&path).expect("bound");
    let daemon = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client");
        while stream.write_all(b" ").is_ok() {
            std::thread::sleep(Duration::from_millis(1));
        }
    });
    assert!(matches!(ask(&path, &STATUS, SHORT), Err(NoAnswer::TimedOut)));
    daemon.join().expect("served");
}

#[test]
fn a_line_without_an_end_is_not_read_for_ever() {
    let (_directory, path) = socket_path();
    let listener = UnixListener::bind(&path).expect("bound");
    let daemon = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client");
        while stream.write_all(&[b'x'; 1 << 16]).is_ok() {}
    });
    assert!(matches!(ask(&path, &STATUS, LONG), Err(NoAnswer::Invalid(_))));
    daemon.join().expect("served");
}

#[test]
fn a_missing_socket_and_one_without_a_listener_are_different_errors() {
    let (_directory, path) = socket_path();
    assert!(matches!(ask(&path, &STATUS, LONG), Err(NoAnswer::NoSocket)));
    drop(UnixListener::bind(&path).expect("bound"));
    assert!(matches!(ask(&path, &STATUS, LONG), Err(NoAnswer::NotListening)));
    std::fs::remove_file(&path).expect("removed");
    std::fs::write(&path, "").expect("written");
    assert!(matches!(ask(&path, &STATUS, LONG), Err(NoAnswer::System(_))));
}

#[test]
fn connecting_to_a_daemon_that_does_not_accept_ends() {
    let (_directory, path) = socket_path();
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None).expect("a socket");
    socket.bind(&SockAddr::unix(&path).expect("an address")).expect("bound");
    socket.listen(0).expect("listening");
    let _first = Connection::open(&path, LONG).expect("room for one");
    assert!(matches!(Connection::open(&path, SHORT), Err(NoAnswer::TimedOut)));
}
