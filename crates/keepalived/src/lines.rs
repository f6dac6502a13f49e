//! Splits the bytes that wait in the FIFO into lines.

/// keepalived writes each line with one write(2), which a pipe takes whole up to `PIPE_BUF`. A longer line is not keepalived's.
const LONGEST: usize = 4096;

#[derive(Debug, Default)]
pub(crate) struct Lines {
    /// The beginning of a line whose end has not arrived, already consumed from the FIFO.
    incomplete: Vec<u8>,
    /// The incomplete line is longer than [`LONGEST`]; the rest of it is ignored.
    is_too_long: bool,
}

impl Lines {
    /// The complete lines among the waiting bytes, and how many bytes to consume once the lines have been processed.
    ///
    /// The beginning of a further line stays in the FIFO, for the next process if this one is killed. It is consumed only if nothing
    /// else waits: otherwise poll(2) would report it again and again.
    pub(crate) fn split(&mut self, waiting: &[u8]) -> (Vec<Vec<u8>>, usize) {
        let Some(end) = waiting.iter().rposition(|byte| *byte == b'\n') else {
            self.keep_incomplete(waiting);
            return (Vec::new(), waiting.len());
        };
        let mut text = std::mem::take(&mut self.incomplete);
        text.extend_from_slice(&waiting[..end]);
        let mut lines: Vec<Vec<u8>> = text.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
        if std::mem::take(&mut self.is_too_long) {
            lines.remove(0);
        }
        (lines, end + 1)
    }

    /// Drops an incomplete line: its writer has ended.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    fn keep_incomplete(&mut self, bytes: &[u8]) {
        self.incomplete.extend_from_slice(bytes);
        self.is_too_long |= self.incomplete.len() > LONGEST;
        if self.is_too_long {
            self.incomplete.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn are_whole_however_they_arrive() {
        let mut lines = Lines::default();
        assert_eq!(
            lines.split(b"one\ntwo\nthr"),
            (vec![b"one".to_vec(), b"two".to_vec()], 8)
        );
        assert_eq!(lines.split(b"thr"), (vec![], 3));
        assert_eq!(lines.split(b"ee\n"), (vec![b"three".to_vec()], 3));
        assert_eq!(lines.split(b"torn"), (vec![], 4));
        lines.clear();
        assert_eq!(lines.split(b"new\n"), (vec![b"new".to_vec()], 4));
    }

    #[test]
    fn too_long_costs_only_itself() {
        let mut lines = Lines::default();
        for _ in 0..10 {
            assert_eq!(lines.split(&[b'x'; 1000]), (vec![], 1000));
        }
        assert_eq!(lines.split(b"x\nnext\n"), (vec![b"next".to_vec()], 7));
    }
}
