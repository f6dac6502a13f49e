//! Threads for work that can hang, such as reading a file. They are not those of the runtime, which look-ups of names use: a name
//! server that hangs must not keep a reload with the remedy waiting.

use std::io;
use std::thread::Builder;

/// Starts a thread. Nothing waits for its end.
///
/// # Errors
/// The system's.
pub(crate) fn start(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    Builder::new().name(name.to_owned()).spawn(work).map(drop)
}
