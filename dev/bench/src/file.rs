//! The program's file: its size, and whether it needs libraries.

use crate::Result;
use crate::statistics::grouped;
use crate::table::{self, NONE};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

pub(crate) fn measure(binary: &Path) -> Result<()> {
    let size = fs::metadata(binary)?.len();
    let rows = [
        ["size".into(), format!("{} bytes", grouped(size)), "≤ 1,300,000".into()],
        ["linked".into(), linking(binary).into(), "statically".into()],
    ];
    table::print("The file", ["", "figure", "target"], &rows);
    Ok(())
}

/// ldd(1) only reads the head of such a file.
fn linking(binary: &Path) -> &'static str {
    let Ok(output) = Command::new("ldd").arg(binary).stdin(Stdio::null()).output() else {
        return NONE;
    };
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    if text.contains("statically linked") || text.contains("not a dynamic executable") {
        "statically"
    } else {
        "dynamically"
    }
}
