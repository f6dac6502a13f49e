//! Refuses messages that PostgreSQL would not send to rcrond, or that would harm it, before the library acts on them.
//!
//! A message is a tag, a length, and a body.

use super::error::Error;
use crate::dial::Inspector;
use tokio_postgres::types::Type;

/// The longest message, in bytes. The longest are rows with the value of a record.
const LONGEST_MESSAGE: usize = 1 << 20;
/// The longest message that is inspected, in bytes.
const LONGEST_INSPECTED: usize = 16 << 10;
/// How many messages an answer may have, besides notifications and the like. Each row of a read is one.
const MOST_MESSAGES: usize = 10_000;
/// How many bytes of parameters a connection may have. The library keeps them all.
const LONGEST_PARAMETERS: usize = 64 << 10;
/// The highest number of iterations of SCRAM. They keep the whole process busy for some tenths of a second. PostgreSQL's default is
/// 4,096.
const MOST_ITERATIONS: u32 = 200_000;

const AUTHENTICATION: u8 = b'R';
const ROW_DESCRIPTION: u8 = b'T';
const PARAMETER_STATUS: u8 = b'S';
const NOTIFICATION: u8 = b'A';
const NOTICE: u8 = b'N';

/// What is known of the messages so far.
#[derive(Debug)]
pub(super) struct Messages {
    /// The password can be seen by others than the server. Then it must not be sent, and neither must its MD5 hash, which is as
    /// good as the password.
    is_exposed: bool,
    /// The first bytes of a message.
    header: Vec<u8>,
    /// How many bytes of the body have not come.
    left: usize,
    /// The body, if it is inspected.
    body: Vec<u8>,
    count: usize,
    parameters: usize,
}

impl Messages {
    pub(super) const fn new(is_exposed: bool) -> Self {
        Self {
            is_exposed,
            header: Vec::new(),
            left: 0,
            body: Vec::new(),
            count: 0,
            parameters: 0,
        }
    }
}

impl Inspector for Messages {
    fn received(&mut self, mut bytes: &[u8]) -> Result<(), crate::Error> {
        while let Some((&byte, rest)) = bytes.split_first() {
            if self.header.len() < 5 {
                self.header.push(byte);
                bytes = rest;
                if self.header.len() == 5 {
                    self.begin_body()?;
                }
            } else {
                let (part, rest) = bytes.split_at(bytes.len().min(self.left));
                if is_inspected(self.header[0]) {
                    self.body.extend_from_slice(part);
                }
                self.left -= part.len();
                bytes = rest;
            }
            if self.header.len() == 5 && self.left == 0 {
                self.end_body()?;
            }
        }
        Ok(())
    }

    fn requested(&mut self) {
        self.count = 0;
    }
}

impl Messages {
    fn begin_body(&mut self) -> Result<(), crate::Error> {
        let tag = self.header[0];
        let length = number(&self.header[1..]).and_then(|length| length.checked_sub(4));
        self.left = length
            .and_then(|length| usize::try_from(length).ok())
            .ok_or(Error::NotPostgreSql)?;
        let limit = if is_inspected(tag) {
            LONGEST_INSPECTED
        } else {
            LONGEST_MESSAGE
        };
        if self.left > limit {
            let what = "a message";
            return Err(crate::Error::TooLong { what, limit });
        }
        match tag {
            PARAMETER_STATUS => self.parameters += self.left,
            NOTIFICATION | NOTICE => {}
            _ => self.count += 1,
        }
        if self.parameters > LONGEST_PARAMETERS {
            let (what, limit) = ("parameters", LONGEST_PARAMETERS);
            return Err(crate::Error::TooLong { what, limit });
        }
        if self.count > MOST_MESSAGES {
            return Err(Error::TooManyMessages(MOST_MESSAGES).into());
        }
        Ok(())
    }

    fn end_body(&mut self) -> Result<(), crate::Error> {
        let tag = self.header[0];
        let body = std::mem::take(&mut self.body);
        self.header.clear();
        match tag {
            AUTHENTICATION => self.check_authentication(&body),
            ROW_DESCRIPTION => check_columns(&body),
            _ => Ok(()),
        }
    }

    fn check_authentication(&self, body: &[u8]) -> Result<(), crate::Error> {
        match number(body).ok_or(Error::NotPostgreSql)? {
            3 if self.is_exposed => Err(Error::ExposedPassword("in plain text").into()),
            5 if self.is_exposed => Err(Error::ExposedPassword("as an MD5 hash").into()),
            // SCRAM, the server's first message.
            11 => {
                let mut fields = body[4..].split(|byte| *byte == b',');
                let count = fields.find_map(|field| field.strip_prefix(b"i="));
                let count = count.and_then(|count| std::str::from_utf8(count).ok()?.parse::<u32>().ok());
                let count = count.ok_or(Error::NotPostgreSql)?;
                if count > MOST_ITERATIONS {
                    let most = MOST_ITERATIONS;
                    return Err(Error::TooManyIterations { count, most }.into());
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

const fn is_inspected(tag: u8) -> bool {
    matches!(tag, AUTHENTICATION | ROW_DESCRIPTION)
}

/// For a type that it does not know, the library asks the server, and for a type in its answer again: without end, if the server so
/// wishes. The statements use only types that it knows.
fn check_columns(body: &[u8]) -> Result<(), crate::Error> {
    let (count, mut rest) = body.split_at_checked(2).ok_or(Error::NotPostgreSql)?;
    for _ in 0..u16::from_be_bytes([count[0], count[1]]) {
        // A name that ends with a zero byte, six bytes, the type, and eight bytes.
        let name = rest.iter().position(|byte| *byte == 0).ok_or(Error::NotPostgreSql)?;
        let (column, after) = rest.split_at_checked(name + 19).ok_or(Error::NotPostgreSql)?;
        let oid = number(&column[name + 7..]).ok_or(Error::NotPostgreSql)?;
        if Type::from_oid(oid).is_none() {
            return Err(Error::OddRow(format!("a column has a type of another program ({oid})")).into());
        }
        rest = after;
    }
    Ok(())
}

/// The number at the beginning.
fn number(bytes: &[u8]) -> Option<u32> {
    bytes.first_chunk().map(|bytes| u32::from_be_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(tag: u8, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len() + 4).expect("short");
        [&[tag], &length.to_be_bytes()[..], body].concat()
    }

    /// In one piece and byte by byte.
    fn inspected(is_exposed: bool, messages: &[u8]) -> Result<(), crate::Error> {
        let whole = Messages::new(is_exposed).received(messages);
        let mut inspector = Messages::new(is_exposed);
        let bytes = messages.iter().try_for_each(|byte| inspector.received(&[*byte]));
        assert_eq!(whole, bytes);
        whole
    }

    fn refused(is_exposed: bool, messages: &[u8], word: &str) {
        let error = inspected(is_exposed, messages).expect_err(word).to_string();
        assert!(error.contains(word), "{error}");
    }

    fn authentication(code: u32, rest: &[u8]) -> Vec<u8> {
        message(AUTHENTICATION, &[&code.to_be_bytes()[..], rest].concat())
    }

    fn row(types: &[u32]) -> Vec<u8> {
        let count = u16::try_from(types.len()).expect("few");
        let columns = types
            .iter()
            .map(|oid| [b"name\0......", &oid.to_be_bytes()[..], b"........"].concat());
        message(
            ROW_DESCRIPTION,
            &[count.to_be_bytes().to_vec(), columns.collect::<Vec<_>>().concat()].concat(),
        )
    }

    #[test]
    fn only_scram_is_accepted_where_others_can_listen() {
        let scram = authentication(11, b"r=x,s=eA==,i=4096");
        for good in [authentication(0, b""), authentication(10, b"SCRAM-SHA-256\0\0"), scram] {
            assert_eq!(inspected(true, &good), Ok(()));
        }
        refused(true, &authentication(3, b""), "in plain text");
        refused(true, &authentication(5, b"salt"), "as an MD5 hash");
        assert_eq!(inspected(false, &authentication(3, b"")), Ok(()));
        assert_eq!(inspected(false, &authentication(5, b"salt")), Ok(()));
        refused(
            false,
            &authentication(11, b"r=x,s=eA==,i=4294967295"),
            "4294967295 iterations",
        );
        refused(false, &authentication(11, b"r=x,s=eA=="), "not a message of PostgreSQL");
        refused(true, &message(AUTHENTICATION, b"\0\0"), "not a message of PostgreSQL");
    }

    #[test]
    fn lengths_beyond_the_limits_are_refused_when_they_are_announced() {
        refused(true, b"E\x7f\xff\xff\xff", "a message of more than 1048576 bytes");
        refused(true, b"R\0\x01\0\0", "a message of more than 16384 bytes");
        refused(true, b"HTTP/1.1", "a message of more than");
        refused(true, b"D\0\0\0\x03", "not a message of PostgreSQL");
        let rows = message(b'D', b"\0\0").repeat(MOST_MESSAGES + 1);
        refused(true, &rows, "more than 10000 messages");
        let parameters = message(PARAMETER_STATUS, &[b'x'; 1000]).repeat(66);
        refused(true, &parameters, "parameters of more than 65536 bytes");
    }

    #[test]
    fn notifications_are_not_counted_and_a_request_begins_to_count_anew() {
        let mut inspector = Messages::new(true);
        for _ in 0..3 {
            let many = message(NOTIFICATION, b"xxxx").repeat(2 * MOST_MESSAGES);
            assert_eq!(inspector.received(&many), Ok(()));
            assert_eq!(
                inspector.received(&message(b'D', b"\0\0").repeat(MOST_MESSAGES)),
                Ok(())
            );
            inspector.requested();
        }
    }

    #[test]
    fn columns_must_have_types_that_the_library_knows() {
        assert_eq!(inspected(true, &row(&[25, 20, 17, 16, 2278])), Ok(()));
        refused(true, &row(&[25, 16_385]), "(16385)");
        let cut = row(&[25]);
        refused(
            true,
            &message(ROW_DESCRIPTION, &cut[5..cut.len() - 1]),
            "not a message of PostgreSQL",
        );
    }
}
