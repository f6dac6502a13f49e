//! Signals: blocking them, receiving them as data, sending them, dying of one.
//!
//! The mask is set by the system call itself. glibc's functions leave out signals 32 and 33, which it uses for threads; they would
//! kill rcron and orphan the job.

use crate::{check, own};
use std::fs::File;
use std::io::{self, Read};
use std::mem::{self, MaybeUninit};
use std::os::fd::{AsFd, BorrowedFd};

pub use libc::{
    SIGCHLD, SIGCONT, SIGHUP, SIGINT, SIGKILL, SIGQUIT, SIGTERM, SIGTSTP, SIGTTIN, SIGTTOU, SIGURG, SIGWINCH,
};

/// `errno` of [`send`] if there is no such process or group.
pub const NO_SUCH_PROCESS: i32 = libc::ESRCH;

/// The kernel's `sigset_t`: bit N-1 is signal N.
type Mask = u64;

const EVERYTHING: Mask = Mask::MAX;

/// The signal mask and the disposition of SIGCHLD that this process inherited, and that the job must inherit.
#[derive(Clone, Copy, Debug)]
pub struct PreviousState {
    mask: Mask,
    ignores_child: bool,
}

/// A signal that reached rcron.
#[derive(Clone, Copy, Debug)]
pub struct Arrived {
    /// Its number.
    pub number: i32,
    /// The pid of its sender; `None` for the kernel.
    pub sender: Option<u32>,
}

/// Blocked signals, as a file to poll and read: signalfd(2).
#[derive(Debug)]
pub struct Signals(File);

/// Blocks every signal that can be blocked, and resets SIGCHLD if it is ignored: the kernel would discard the exit status of children
/// (sigaction(2), NOTES).
///
/// # Errors
/// The system's.
pub fn take_over() -> io::Result<PreviousState> {
    let mask = set_mask(EVERYTHING)?;
    let ignores_child = disposition(libc::SIGCHLD)? == libc::SIG_IGN;
    if ignores_child {
        set_disposition(libc::SIGCHLD, libc::SIG_DFL)?;
    }
    Ok(PreviousState { mask, ignores_child })
}

/// Makes a write to a pipe without a reader, or beyond a limit, fail instead of killing rcron. Only used if no job is started, which
/// would inherit these dispositions.
pub fn survive_writing() {
    let _ = set_disposition(libc::SIGPIPE, libc::SIG_IGN);
    let _ = set_disposition(libc::SIGXFSZ, libc::SIG_IGN);
}

/// Gives every ignored signal except SIGPIPE its default action. For a program whose children must not depend on who started it, such
/// as a test: nohup(1) ignores SIGHUP, and a shell without job control ignores SIGINT in the background.
pub fn stop_ignoring() {
    for signal in (1..=libc::SIGRTMAX()).filter(|signal| *signal != libc::SIGPIPE) {
        if disposition(signal).is_ok_and(|handler| handler == libc::SIG_IGN) {
            let _ = set_disposition(signal, libc::SIG_DFL);
        }
    }
}

impl PreviousState {
    /// Whether a signal would have had an effect on this process as it was started: it was neither blocked nor ignored.
    #[must_use]
    pub fn delivers(self, signal: i32) -> bool {
        let is_blocked = (1..=64).contains(&signal) && self.mask & bit(signal) != 0;
        !is_blocked && disposition(signal).is_ok_and(|handler| handler != libc::SIG_IGN)
    }

    /// Undoes [`take_over`]. Async-signal-safe, because it runs between clone(2) and execve(2).
    pub(crate) fn restore(self) {
        if self.ignores_child {
            let _ = set_disposition(libc::SIGCHLD, libc::SIG_IGN);
        }
        let _ = set_mask(self.mask);
    }
}

impl Signals {
    /// Opens the file.
    ///
    /// # Errors
    /// The system's: no descriptors left.
    pub fn open() -> io::Result<Self> {
        let (mask, size) = (EVERYTHING, size_of::<Mask>());
        let flags = libc::SFD_CLOEXEC | libc::SFD_NONBLOCK;
        // SAFETY: the pointer is to a mask of the size given, which lives through the call.
        let descriptor = unsafe { libc::syscall(libc::SYS_signalfd4, -1, &raw const mask, size, flags) };
        own(i32::try_from(descriptor).unwrap_or(-1)).map(|descriptor| Self(descriptor.into()))
    }

    /// The next signal, if there is one.
    pub fn receive(&mut self) -> Option<Arrived> {
        let mut bytes = [0; size_of::<libc::signalfd_siginfo>()];
        self.0.read_exact(&mut bytes).ok()?;
        // SAFETY: the kernel has filled the array with one such structure, which is integers throughout.
        let info: libc::signalfd_siginfo = unsafe { mem::transmute(bytes) };
        // sigaction(2): the code is at most 0 if a process sent the signal, and positive if the kernel did.
        let sender = (info.ssi_code <= 0).then_some(info.ssi_pid);
        i32::try_from(info.ssi_signo)
            .ok()
            .map(|number| Arrived { number, sender })
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Sends a signal to a process, or with a negative number to a process group: kill(2).
///
/// # Errors
/// The system's.
pub fn send(target: i32, signal: i32) -> io::Result<()> {
    // SAFETY: no memory is involved. The targets are the job, which is not reaped yet, its group, and rcron itself.
    check(unsafe { libc::kill(target, signal) }).map(drop)
}

/// Stops this process with a signal, until SIGCONT, so that a shell sees that the job is stopped.
pub fn stop(signal: i32) {
    let before = disposition(signal).unwrap_or(libc::SIG_DFL);
    let _ = set_disposition(signal, libc::SIG_DFL);
    let _ = send_myself(signal);
    let _ = set_mask(EVERYTHING & !bit(signal)); // the process stops here
    let _ = set_mask(EVERYTHING);
    let _ = set_disposition(signal, before);
}

/// Dies of a signal, so that wait(2) in the parent reports the same signal as for the job, but without a core dump of rcron.
///
/// Returns if the process survives: signals from its own namespace do not kill PID 1 of a container.
pub fn die_of(signal: i32) {
    // RLIMIT_CORE 0 would not do: it does not prevent a core dump to a pipe (core(5)).
    // SAFETY: no memory is involved.
    unsafe { libc::prctl(libc::PR_SET_DUMPABLE, 0) };
    let _ = set_disposition(signal, libc::SIG_DFL);
    let _ = send_myself(signal);
    let _ = set_mask(EVERYTHING & !bit(signal));
}

/// The name of a signal as in `kill -l`: `SIGTERM`, `SIGRTMIN+3`.
#[must_use]
pub fn name(signal: i32) -> String {
    let named = NAMES.iter().find(|(number, _)| *number == signal);
    match named {
        Some((_, name)) => (*name).to_owned(),
        None if signal == libc::SIGRTMIN() => "SIGRTMIN".to_owned(),
        None if signal > libc::SIGRTMIN() => format!("SIGRTMIN+{}", signal - libc::SIGRTMIN()),
        None => format!("SIG{signal}"),
    }
}

/// The number of a signal of this [`name`].
#[must_use]
pub fn number(name: &str) -> Option<i32> {
    (1..=libc::SIGRTMAX()).find(|signal| self::name(*signal) == name)
}

fn send_myself(signal: i32) -> io::Result<()> {
    // SAFETY: no memory is involved.
    let myself = unsafe { libc::getpid() };
    send(myself, signal)
}

const fn bit(signal: i32) -> Mask {
    1 << (signal - 1)
}

fn set_mask(new: Mask) -> io::Result<Mask> {
    let mut old: Mask = 0;
    let how = libc::SIG_SETMASK;
    // SAFETY: both pointers are to masks of the size given, which live through the call.
    let result = unsafe {
        libc::syscall(
            libc::SYS_rt_sigprocmask,
            how,
            &raw const new,
            &raw mut old,
            size_of::<Mask>(),
        )
    };
    check(i32::try_from(result).unwrap_or(-1)).map(|_| old)
}

fn disposition(signal: i32) -> io::Result<libc::sighandler_t> {
    let mut action = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: asks only; the pointer is to a value that lives through the call.
    check(unsafe { libc::sigaction(signal, std::ptr::null(), action.as_mut_ptr()) })?;
    // SAFETY: the call has succeeded and filled it.
    Ok(unsafe { action.assume_init() }.sa_sigaction)
}

fn set_disposition(signal: i32, disposition: libc::sighandler_t) -> io::Result<()> {
    // SAFETY: zero is a valid value of each of its fields: no flags, an empty mask.
    let mut action: libc::sigaction = unsafe { mem::zeroed() };
    action.sa_sigaction = disposition;
    // SAFETY: SIG_DFL or SIG_IGN, so no code of ours ever runs as a handler.
    check(unsafe { libc::sigaction(signal, &raw const action, std::ptr::null_mut()) }).map(drop)
}

/// signal(7), "Standard signals".
const NAMES: [(i32, &str); 31] = [
    (libc::SIGHUP, "SIGHUP"),
    (libc::SIGINT, "SIGINT"),
    (libc::SIGQUIT, "SIGQUIT"),
    (libc::SIGILL, "SIGILL"),
    (libc::SIGTRAP, "SIGTRAP"),
    (libc::SIGABRT, "SIGABRT"),
    (libc::SIGBUS, "SIGBUS"),
    (libc::SIGFPE, "SIGFPE"),
    (libc::SIGKILL, "SIGKILL"),
    (libc::SIGUSR1, "SIGUSR1"),
    (libc::SIGSEGV, "SIGSEGV"),
    (libc::SIGUSR2, "SIGUSR2"),
    (libc::SIGPIPE, "SIGPIPE"),
    (libc::SIGALRM, "SIGALRM"),
    (libc::SIGTERM, "SIGTERM"),
    (libc::SIGSTKFLT, "SIGSTKFLT"),
    (libc::SIGCHLD, "SIGCHLD"),
    (libc::SIGCONT, "SIGCONT"),
    (libc::SIGSTOP, "SIGSTOP"),
    (libc::SIGTSTP, "SIGTSTP"),
    (libc::SIGTTIN, "SIGTTIN"),
    (libc::SIGTTOU, "SIGTTOU"),
    (libc::SIGURG, "SIGURG"),
    (libc::SIGXCPU, "SIGXCPU"),
    (libc::SIGXFSZ, "SIGXFSZ"),
    (libc::SIGVTALRM, "SIGVTALRM"),
    (libc::SIGPROF, "SIGPROF"),
    (libc::SIGWINCH, "SIGWINCH"),
    (libc::SIGIO, "SIGIO"),
    (libc::SIGPWR, "SIGPWR"),
    (libc::SIGSYS, "SIGSYS"),
];
