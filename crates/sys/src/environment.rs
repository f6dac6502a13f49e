//! The environment of the process, unchanged: also entries without `=`, duplicate names, and bytes that are not UTF-8.

use std::ffi::{CStr, c_char};
use std::mem::MaybeUninit;

unsafe extern "C" {
    static environ: *const *const c_char;
}

/// Every entry of environ(7), in order.
#[must_use]
pub fn entries() -> Vec<&'static CStr> {
    let mut entries = Vec::new();
    // SAFETY: the C library set it before main, and nothing changes the environment of a program that calls this.
    let mut next = unsafe { environ };
    if next.is_null() {
        return entries;
    }
    loop {
        // SAFETY: the array ends with a null pointer, and the loop with it.
        let entry = unsafe { *next };
        if entry.is_null() {
            return entries;
        }
        // SAFETY: each other entry is a string that ends with NUL and is never freed.
        entries.push(unsafe { CStr::from_ptr(entry) });
        // SAFETY: the null pointer has not been reached, so there is a next one.
        next = unsafe { next.add(1) };
    }
}

/// The effective user id: geteuid(2).
#[must_use]
pub fn effective_user() -> u32 {
    // SAFETY: no memory is involved, and it cannot fail.
    unsafe { libc::geteuid() }
}

/// The host's name: uname(2).
#[must_use]
pub fn node_name() -> Vec<u8> {
    let mut names = MaybeUninit::<libc::utsname>::zeroed();
    // SAFETY: the pointer is to a value that lives through the call, which cannot fail then.
    unsafe { libc::uname(names.as_mut_ptr()) };
    // SAFETY: zeroed before, and filled in; arrays of characters are valid in any case.
    let names = unsafe { names.assume_init() };
    let until_nul = names.nodename.iter().take_while(|character| **character != 0);
    until_nul.map(|character| character.to_ne_bytes()[0]).collect()
}
