//! A message for `/dev/log`, as syslog(3) of the C library writes it: `<PRI>Mmm dd hh:mm:ss ident[PID]: text`.

use crate::display;
use crate::priority::{self, Facility, Level};
use alloc::format;
use alloc::vec::Vec;

/// The largest datagram that is sent, in bytes. rsyslog takes 8 KiB by default (`maxMessageSize`) and forwards with the
/// host's name put in; journald takes more.
pub const LARGEST: usize = 8000;

/// The longest ident, in bytes.
const LONGEST_IDENT: usize = 64;

/// Local time without the year, as in the header of RFC 3164.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CivilTime {
    /// 0 for January.
    pub month: usize,
    /// Day of the month, from 1.
    pub day: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 60.
    pub second: u8,
}

/// The sender: the parts of the header that are the same in each message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    /// `syslog_facility`.
    pub facility: Facility,
    /// Base name of `argv[0]`.
    pub ident: Vec<u8>,
    /// The process that sends.
    pub pid: u32,
}

/// Puts the header before `text` and cuts the whole at [`LARGEST`] bytes; a cut text ends in `...`.
#[must_use]
pub fn datagram(sender: &Sender, level: Level, time: CivilTime, text: &[u8]) -> Vec<u8> {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    const ELLIPSIS: &[u8] = b"...";
    let mut line = format!(
        "<{}>{} {:2} {:02}:{:02}:{:02} ",
        priority::priority(sender.facility, level),
        MONTHS[time.month % 12],
        time.day,
        time.hour,
        time.minute,
        time.second
    )
    .into_bytes();
    let ident_end = line.len() + LONGEST_IDENT;
    display::append(&mut line, &sender.ident, ident_end);
    line.extend_from_slice(format!("[{}]: ", sender.pid).as_bytes());
    if !display::append(&mut line, text, LARGEST - ELLIPSIS.len()) {
        line.extend_from_slice(ELLIPSIS);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIME: CivilTime = CivilTime {
        month: 10,
        day: 3,
        hour: 9,
        minute: 5,
        second: 7,
    };

    fn sender() -> Sender {
        Sender {
            facility: Facility::CRON,
            ident: b"rcron".to_vec(),
            pid: 4711,
        }
    }

    #[test]
    fn the_header_is_that_of_syslog_3() {
        let line = datagram(&sender(), Level::INFO, TIME, b"cluster=web\n");
        assert_eq!(line, b"<78>Nov  3 09:05:07 rcron[4711]: cluster=web\\x0a");
    }

    #[test]
    fn a_long_text_is_cut_and_says_so() {
        let line = datagram(&sender(), Level::INFO, TIME, &[b'x'; 20_000]);
        assert_eq!(line.len(), LARGEST);
        assert!(line.ends_with(b"xxx..."));
        let line = datagram(&sender(), Level::INFO, TIME, &b"\n".repeat(20_000));
        assert!(line.len() <= LARGEST);
        assert!(line.ends_with(b"\\x0a..."));
    }

    #[test]
    fn a_strange_ident_stays_in_its_place() {
        let sender = Sender {
            ident: [b"r\ncron[1]: ".as_slice(), &[b'x'; 500]].concat(),
            ..sender()
        };
        let line = datagram(&sender, Level::INFO, TIME, b"text");
        assert!(line.starts_with(b"<78>Nov  3 09:05:07 r\\x0acron[1]: xxx"));
        assert!(line.ends_with(b"x[4711]: text"));
        assert!(line.len() < 120);
    }
}
