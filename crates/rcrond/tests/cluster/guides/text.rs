//! The commands and files in a document: its indented blocks.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

const DOCUMENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs");

/// The blocks of one document. A test must execute all of them: a command that is added to the text needs a place in the test.
pub(super) struct Guide {
    name: &'static str,
    /// The heading under which each block is, and its text.
    blocks: Vec<(String, String)>,
    used: RefCell<BTreeSet<usize>>,
}

impl Guide {
    /// Reads a document, by its path in docs.
    pub(super) fn read(name: &'static str) -> Self {
        let text = fs::read_to_string(Path::new(DOCUMENTS).join(name)).expect(name);
        Self {
            name,
            blocks: blocks(&text),
            used: RefCell::default(),
        }
    }

    /// The block of this number, from 0, under a heading.
    pub(super) fn block(&self, heading: &str, number: usize) -> &str {
        let under = self.blocks.iter().enumerate().filter(|(_, (at, _))| at == heading);
        let found = under.skip(number).map(|(index, (_, text))| (index, text)).next();
        let (index, text) = found.unwrap_or_else(|| panic!("{}: no block {number} under {heading:?}", self.name));
        self.used.borrow_mut().insert(index);
        text
    }

    /// Fails if a block was not used.
    pub(super) fn is_complete(&self) {
        self.is_complete_where(|_| true);
    }

    /// Fails if a block was not used under one of these headings.
    pub(super) fn is_complete_where(&self, wanted: impl Fn(&str) -> bool) {
        let used = self.used.borrow();
        let blocks = self.blocks.iter().enumerate();
        let unused: Vec<_> = blocks
            .filter(|(index, (heading, _))| wanted(heading) && !used.contains(index))
            .collect();
        assert!(unused.is_empty(), "{}: not executed: {unused:#?}", self.name);
    }
}

/// A block is indented by four spaces, in a list by more, and is preceded by an empty line.
fn blocks(text: &str) -> Vec<(String, String)> {
    let mut blocks: Vec<(String, String)> = Vec::new();
    let (mut heading, mut indent, mut after_empty) = (String::new(), None, true);
    for line in text.lines() {
        let spaces = line.len() - line.trim_start().len();
        if let Some(title) = line.strip_prefix('#') {
            title.trim_start_matches('#').trim().clone_into(&mut heading);
        }
        if line.is_empty() {
            after_empty = true;
            continue;
        }
        if spaces < 4 || (indent.is_none() && !after_empty) {
            indent = None;
        } else if let Some(indent) = indent {
            let (_, block) = blocks.last_mut().expect("begun");
            block.push_str(if after_empty { "\n" } else { "" });
            block.push_str(&line[usize::min(indent, spaces)..]);
            block.push('\n');
        } else {
            blocks.push((heading.clone(), format!("{}\n", &line[spaces..])));
            indent = Some(spaces);
        }
        after_empty = false;
    }
    blocks
}

#[test]
fn blocks_are_found_in_the_text_and_in_lists() {
    let text = "# One\n\n    a\n      b\n\n    c\n\ntext\n\n## Two\n\n1. step:\n\n       d\n       e\n   more\n";
    let block = |heading: &str, block: &str| (heading.to_owned(), block.to_owned());
    assert_eq!(blocks(text), [block("One", "a\n  b\n\nc\n"), block("Two", "d\ne\n")]);
}
