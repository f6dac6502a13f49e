//! A wall clock for a process that libfaketime does not work with: Go does not use libc, a program with jemalloc does not start
//! with it (wolfcw/libfaketime#130), and a static program does not load it. All of them call the code that the kernel maps into
//! each process, vdso(7). Here this code is replaced, in one process only. This works on Linux on x86-64.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs::{self, File};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use testing::until;

/// The new code of a function: the system call, and an addition of seconds to its result.
struct Function {
    name: &'static [u8],
    before: &'static [u8],
    // mov rcx, SECONDS
    after: &'static [u8],
}

#[rustfmt::skip]
const FUNCTIONS: [Function; 3] = [
    Function {
        name: b"__vdso_clock_gettime",
        before: &[
            0xb8, 228, 0, 0, 0, // mov eax, clock_gettime
            0x0f, 0x05,         // syscall
            0x85, 0xff,         // test edi, edi: CLOCK_REALTIME is 0
            0x75, 13,           // jne to ret
        ],
        after: &[
            0x48, 0x01, 0x0e,   // add [rsi], rcx
            0xc3,               // ret
        ],
    },
    Function {
        name: b"__vdso_gettimeofday",
        before: &[
            0xb8, 96, 0, 0, 0,  // mov eax, gettimeofday
            0x0f, 0x05,         // syscall
            0x48, 0x85, 0xff,   // test rdi, rdi: who asks for the zone only
            0x74, 13,           // je to ret
        ],
        after: &[
            0x48, 0x01, 0x0f,   // add [rdi], rcx
            0xc3,               // ret
        ],
    },
    Function {
        name: b"__vdso_time",
        before: &[
            0xb8, 201, 0, 0, 0, // mov eax, time
            0x0f, 0x05,         // syscall
        ],
        after: &[
            0x48, 0x01, 0xc8,   // add rax, rcx
            0x48, 0x85, 0xff,   // test rdi, rdi
            0x74, 3,            // je to ret
            0x48, 0x89, 0x07,   // mov [rdi], rax
            0xc3,               // ret
        ],
    },
];
const MOV_RCX: [u8; 2] = [0x48, 0xb9];

/// Whether there is such code for this machine.
pub(crate) const KNOWN: bool = cfg!(all(target_os = "linux", target_arch = "x86_64"));

/// Sets the wall clock of a process this far from the right time, if that is [`KNOWN`] here. The machine's, and that of its other
/// processes, stay.
pub(crate) fn set_wall_clock(pid: i32, seconds: i64) {
    let vdso = mapped(pid);
    let memory = File::options()
        .read(true)
        .write(true)
        .open(format!("/proc/{pid}/mem"))
        .expect("root");
    let mut image = vec![0; at_most_usize(vdso.end - vdso.start)];
    memory.read_exact_at(&mut image, vdso.start).expect("the vdso");
    until("all threads to be out of the vdso", || {
        stopped(pid, || {
            let quiet = !counters(pid).any(|counter| vdso.contains(&counter));
            quiet.then(|| {
                for function in &FUNCTIONS {
                    let (at, room) = symbol(&image, function.name);
                    let code = function.code(seconds);
                    assert!(code.len() <= room, "another kernel's vdso");
                    memory.write_all_at(&code, vdso.start + at).expect("its memory");
                }
            })
        })
    });
}

impl Function {
    fn code(&self, seconds: i64) -> Vec<u8> {
        [self.before, &MOV_RCX, &seconds.to_le_bytes(), self.after].concat()
    }
}

fn mapped(pid: i32) -> Range<u64> {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).expect("a process");
    let line = maps.lines().find(|line| line.ends_with("[vdso]")).expect("a vdso");
    let span = line.split(' ').next().and_then(|span| span.split_once('-'));
    let (start, end) = span.expect("FROM-TO");
    let number = |text| u64::from_str_radix(text, 16).expect("a number");
    number(start)..number(end)
}

/// Does something while the process stands still.
fn stopped<T>(pid: i32, act: impl FnOnce() -> T) -> T {
    let signal = |signal| kill(Pid::from_raw(pid), signal).expect("a process");
    signal(Signal::SIGSTOP);
    until("all its threads to stop", || {
        let running = |task: fs::DirEntry| {
            let stat = fs::read_to_string(task.path().join("stat")).unwrap_or_default();
            !stat.rsplit(')').next().is_some_and(|rest| rest.starts_with(" T"))
        };
        let mut tasks = fs::read_dir(format!("/proc/{pid}/task")).expect("a process").flatten();
        (!tasks.any(running)).then_some(())
    });
    let done = act();
    signal(Signal::SIGCONT);
    done
}

/// Where its threads are: the last word of /proc/PID/task/TID/syscall, proc_pid_syscall(5).
fn counters(pid: i32) -> impl Iterator<Item = u64> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).expect("a process").flatten();
    tasks.map(|task| {
        let text = fs::read_to_string(task.path().join("syscall")).expect("root");
        let last = text.split_whitespace().last().and_then(|word| word.strip_prefix("0x"));
        u64::from_str_radix(last.expect("a stopped thread"), 16).expect("an address")
    })
}

/// Where a function is in an ELF file of 64 bits, and how long: elf(5).
fn symbol(image: &[u8], name: &[u8]) -> (u64, usize) {
    let table = sections(image)
        .find(|section| section.kind == SHT_DYNSYM)
        .expect("symbols");
    let names = sections(image).nth(table.link).expect("their names");
    let mut symbols = image[table.at..table.at + table.size].chunks_exact(24);
    let is_it = |symbol: &&[u8]| {
        let at = names.at + at_most_usize(number(symbol, 0, 4));
        image[at..].starts_with(name) && image[at + name.len()] == 0
    };
    let symbol = symbols.find(is_it).expect("the function");
    (number(symbol, 8, 8), at_most_usize(number(symbol, 16, 8)))
}

const SHT_DYNSYM: u64 = 11;

struct Section {
    kind: u64,
    at: usize,
    size: usize,
    link: usize,
}

fn sections(image: &[u8]) -> impl Iterator<Item = Section> {
    let table = at_most_usize(number(image, 0x28, 8));
    let (size, count) = (number(image, 0x3a, 2), number(image, 0x3c, 2));
    let headers = image[table..]
        .chunks_exact(at_most_usize(size))
        .take(at_most_usize(count));
    headers.map(|header| Section {
        kind: number(header, 4, 4),
        at: at_most_usize(number(header, 0x18, 8)),
        size: at_most_usize(number(header, 0x20, 8)),
        link: at_most_usize(number(header, 0x28, 4)),
    })
}

fn number(bytes: &[u8], at: usize, size: usize) -> u64 {
    let mut number = [0; 8];
    number[..size].copy_from_slice(&bytes[at..at + size]);
    u64::from_le_bytes(number)
}

fn at_most_usize(number: u64) -> usize {
    usize::try_from(number).expect("64 bits")
}
