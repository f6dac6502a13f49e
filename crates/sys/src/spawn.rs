//! Starting the job: clone(2) with the flags of vfork(2), then execve(2).
//!
//! posix_spawn(3) cannot set niceness, an ignored SIGCHLD or a parent-death signal, and fork(2) copies page tables that are then
//! thrown away. So this does what posix_spawn does, and these three: the child uses our memory, and we are suspended until it
//! executes the job or exits. Everything that the child needs is prepared before; between clone and execve it only makes system calls.

use crate::check;
use crate::child::Child;
use crate::clock;
use crate::signal::PreviousState;
use std::ffi::{CStr, CString, OsString, c_char, c_int, c_void};
use std::io;
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;
use std::ptr;
use std::sync::atomic::{AtomicI32, AtomicPtr, Ordering::Relaxed};
use std::time::Duration;

/// In bytes. The child makes a few system calls on this stack; pages that it does not touch cost nothing.
const STACK_SIZE: usize = 64 * 1024;

/// The exit status of a child that could not execute the job. It is discarded: `execute_error` has the reason.
const NOT_EXECUTED: c_int = 127;

/// Stored instead of an errno, which is positive: the child came too late. See [`Launch::not_after`].
const TOO_LATE: c_int = -1;

/// What to start, and how.
#[derive(Clone, Copy, Debug)]
pub struct Launch<'a> {
    /// The program's name and its arguments; at least one word.
    pub argv: &'a [&'a [u8]],
    /// The whole environment, `NAME=VALUE` entries; the program is searched in its `PATH`.
    pub environment: &'a [&'a CStr],
    /// Whether the job leads a process group of its own; otherwise it stays in ours.
    pub own_group: bool,
    /// The shell's path, for a script without `#!`.
    pub shell: &'a [u8],
    /// Absolute niceness. If it is not permitted, the job keeps ours: see [`Started::niceness`].
    pub nice_level: i8,
    /// The time since boot at which the permission to start the job ends. The child checks it immediately before execve(2), because
    /// both processes may have stood still since the caller checked it.
    pub not_after: Option<Duration>,
    /// Whether the job gets SIGTERM if rcron is killed: `PR_SET_PDEATHSIG`.
    pub dies_with_us: bool,
    /// The signal mask and dispositions that the job inherits.
    pub signals: PreviousState,
}

/// A started job.
#[derive(Debug)]
pub struct Started {
    /// The process.
    pub child: Child,
    /// The error if its niceness could not be set.
    pub niceness: io::Result<()>,
}

/// Why a job was not started.
#[derive(Debug)]
pub enum Failure {
    /// No process could be created: clone(2).
    Fork(io::Error),
    /// The program could not be found or executed: execve(2), for each file that execvp(3) would try.
    Execute(io::Error),
}

/// What the child reads, and where it stores its errors. They are in shared memory, so no pipe is needed.
struct Plan {
    programs: Vec<CString>,
    /// A slot for the shell, then the job's argv, then null.
    argv: Vec<AtomicPtr<c_char>>,
    environment: Vec<*const c_char>,
    shell: CString,
    parent: libc::pid_t,
    own_group: bool,
    nice_level: c_int,
    not_after: Option<Duration>,
    dies_with_us: bool,
    signals: PreviousState,
    execute_error: AtomicI32,
    niceness_error: AtomicI32,
}

/// Starts the job. Its process is in its group before this returns. `None` if it was too late ([`Launch::not_after`]).
///
/// # Errors
/// [`Failure`]; nothing runs then.
pub fn start(launch: &Launch) -> Result<Option<Started>, Failure> {
    let words = strings(launch.argv).map_err(Failure::Execute)?;
    let Some(name) = words.first() else {
        return Err(Failure::Execute(io::ErrorKind::NotFound.into()));
    };
    let plan = Plan::new(launch, name, &words).map_err(Failure::Execute)?;
    let pid = clone(&plan).map_err(Failure::Fork)?;
    let child = Child::new(pid);
    match plan.execute_error.load(Relaxed) {
        0 => Ok(Some(Started {
            child,
            niceness: result(plan.niceness_error.load(Relaxed)),
        })),
        error => {
            let _ = child.reap();
            match error {
                TOO_LATE => Ok(None),
                errno => Err(Failure::Execute(io::Error::from_raw_os_error(errno))),
            }
        }
    }
}

impl Plan {
    fn new(launch: &Launch, name: &CString, words: &[CString]) -> io::Result<Self> {
        let argv = [ptr::null_mut()]
            .into_iter()
            .chain(words.iter().map(|word| word.as_ptr().cast_mut()))
            .chain([ptr::null_mut()]);
        let environment = launch
            .environment
            .iter()
            .map(|entry| entry.as_ptr())
            .chain([ptr::null()]);
        Ok(Self {
            programs: candidates(name.as_bytes(), launch.environment)?,
            argv: argv.map(AtomicPtr::new).collect(),
            environment: environment.collect(),
            shell: CString::new(launch.shell)?,
            parent: libc::pid_t::try_from(std::process::id()).unwrap_or(-1),
            own_group: launch.own_group,
            nice_level: c_int::from(launch.nice_level),
            not_after: launch.not_after,
            dies_with_us: launch.dies_with_us,
            signals: launch.signals,
            execute_error: AtomicI32::new(0),
            niceness_error: AtomicI32::new(0),
        })
    }

    /// Runs in the child and becomes the job. Returns only if that fails.
    fn become_job(&self) -> c_int {
        if self.dies_with_us && !self.die_with_parent() {
            return 0;
        }
        if self.own_group {
            // SAFETY: no memory is involved. It cannot fail: the child is new and does not lead a session.
            unsafe { libc::setpgid(0, 0) };
        }
        // SAFETY: no memory is involved.
        if unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, self.nice_level) } == -1 {
            self.niceness_error.store(errno(), Relaxed);
        }
        self.signals.restore();
        self.execute_error.store(self.execute(), Relaxed);
        NOT_EXECUTED
    }

    /// Requests SIGTERM at the parent's death. Returns whether the parent still lives: if it died before, no signal comes.
    fn die_with_parent(&self) -> bool {
        // SAFETY: no memory is involved.
        unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGTERM) };
        // SAFETY: no memory is involved.
        let parent = unsafe { libc::getppid() };
        // 0: the parent is in another pid namespace (unshare(1) without --fork).
        parent == self.parent || parent == 0
    }

    /// Tries each candidate, as execvp(3) does. Returns the errno to report.
    fn execute(&self) -> c_int {
        let mut denied = false;
        let mut last = libc::ENOENT;
        for program in &self.programs {
            last = self.execute_one(program);
            match last {
                libc::EACCES => denied = true,
                libc::ENOENT | libc::ENOTDIR | libc::ESTALE | libc::ENODEV | libc::ETIMEDOUT | libc::ENAMETOOLONG => {}
                _ => return last,
            }
        }
        if denied { libc::EACCES } else { last }
    }

    fn execute_one(&self, program: &CStr) -> c_int {
        let error = self.replace_process(program, &self.argv[1..]);
        if error != libc::ENOEXEC {
            return error;
        }
        // A script without `#!` is executed as `/bin/sh FILE ARG...`, which has one word more than the job.
        self.argv[0].store(self.shell.as_ptr().cast_mut(), Relaxed);
        self.argv[1].store(program.as_ptr().cast_mut(), Relaxed);
        self.replace_process(&self.shell, &self.argv)
    }

    /// Returns only if that fails or if it is too late.
    fn replace_process(&self, program: &CStr, argv: &[AtomicPtr<c_char>]) -> c_int {
        if self.not_after.is_some_and(|end| clock::since_boot() >= end) {
            return TOO_LATE;
        }
        // SAFETY: the pointers are to a string and two arrays of strings that end with null, all owned by the plan.
        unsafe { libc::execve(program.as_ptr(), argv.as_ptr().cast(), self.environment.as_ptr()) };
        errno()
    }
}

/// clone(2) with the flags of vfork(2). Unlike vfork, it gives the child a stack of its own, so that ours is not overwritten.
fn clone(plan: &Plan) -> io::Result<libc::pid_t> {
    let mut stack: Vec<MaybeUninit<u128>> = Vec::with_capacity(STACK_SIZE / size_of::<u128>());
    // SAFETY: within the allocation, or one past its end, and aligned to 16 as the ABI requires.
    let top = unsafe { stack.as_mut_ptr().add(stack.capacity() & !1) };
    let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD;
    let argument = ptr::from_ref(plan).cast_mut().cast();
    // SAFETY: with CLONE_VFORK this does not return before the child has executed the job or ended, so plan and stack outlive their
    // use. All signals are blocked and no handler is set, so that no handler runs on the shared memory.
    check(unsafe { libc::clone(child_main, top.cast(), flags, argument) })
}

extern "C" fn child_main(argument: *mut c_void) -> c_int {
    // SAFETY: it is the plan that `clone` passed.
    let plan = unsafe { &*argument.cast::<Plan>() };
    let status = plan.become_job();
    // SAFETY: no memory is involved. It ends the child without running our atexit handlers.
    unsafe { libc::_exit(status) }
}

/// The file that would be executed for a program's name; `None` if no executable file is found.
#[must_use]
pub fn lookup(name: &[u8], environment: &[&CStr]) -> Option<PathBuf> {
    let is_executable = |path: &PathBuf| {
        path.metadata()
            .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
    };
    let paths = candidates(name, environment).ok()?.into_iter();
    paths
        .map(|path| PathBuf::from(OsString::from_vec(path.into_bytes())))
        .find(is_executable)
}

/// The files to try, in order: execvp(3).
fn candidates(name: &[u8], environment: &[&CStr]) -> io::Result<Vec<CString>> {
    if name.is_empty() {
        return Ok(Vec::new());
    }
    if name.contains(&b'/') {
        return Ok(vec![CString::new(name)?]);
    }
    let path = environment
        .iter()
        .find_map(|entry| entry.to_bytes().strip_prefix(b"PATH="));
    path.unwrap_or(b"/bin:/usr/bin")
        .split(|byte| *byte == b':')
        .map(|directory| in_directory(directory, name))
        .collect()
}

/// The program gets SIGTERM when the thread that starts it ends, also if our process is killed.
pub fn end_with_thread(command: &mut Command) {
    let us = std::process::id();
    let request = move || {
        // SAFETY: no memory is involved.
        unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGTERM) };
        // If we have ended before, no signal comes.
        if std::os::unix::process::parent_id() == us {
            Ok(())
        } else {
            Err(io::ErrorKind::BrokenPipe.into())
        }
    };
    // SAFETY: the closure only makes two system calls, which are async-signal-safe; the error has no message on the heap.
    unsafe { command.pre_exec(request) };
}

/// An empty directory in `PATH` is the current one.
fn in_directory(directory: &[u8], name: &[u8]) -> io::Result<CString> {
    let separator: &[u8] = if directory.is_empty() { b"" } else { b"/" };
    Ok(CString::new([directory, separator, name].concat())?)
}

fn strings(words: &[&[u8]]) -> io::Result<Vec<CString>> {
    words.iter().map(|word| Ok(CString::new(*word)?)).collect()
}

fn result(error: c_int) -> io::Result<()> {
    if error == 0 {
        Ok(())
    } else {
        Err(io::Error::from_raw_os_error(error))
    }
}

fn errno() -> c_int {
    io::Error::last_os_error().raw_os_error().unwrap_or_default()
}
