//! The messages as lines.

use super::{
    Answer, Claim, ClaimId, Ended, Grant, Held, LONGEST_JOB_NAME, LONGEST_LINE, MOST_RERUNS, Over, OverReason, Request,
    RunResult, Wait, WaitReason,
};
use crate::exit::Outcome;
use crate::moment::{BootTime, WallTime};
use crate::tick::TickTime;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

impl Request {
    /// The line, without a newline.
    #[must_use]
    pub fn line(&self) -> String {
        match self {
            Self::Claim(claim) => claim.line("claim"),
            Self::Ask(claim) => claim.line("ask"),
            Self::Held(held) => format!(
                "held run={} tick={} attempt={} job={} state={}",
                held.run.as_str(),
                held.tick.0,
                held.attempt,
                encode(held.job.as_bytes()),
                encode(&held.state_file)
            ),
            Self::NotStarted { why } => format!("not-started why={}", encode(why.as_bytes())),
            Self::Ended(ended) => {
                let (result, code) = match ended.outcome {
                    Outcome::Exited(status) => ("exit", i32::from(status)),
                    Outcome::Killed(signal) => ("signal", signal),
                };
                let demoted = if ended.is_demoted { "yes" } else { "no" };
                let lasted = ended.lasted.as_millis();
                format!("ended result={result} code={code} demoted={demoted} lasted={lasted}")
            }
        }
    }

    /// Reads what [`Request::line`] writes; `None` for everything else.
    #[must_use]
    pub fn parse(line: &[u8]) -> Option<Self> {
        let (word, mut fields) = Fields::begin(line)?;
        let request = match word {
            "claim" => Self::Claim(Claim::read(&mut fields)?),
            "ask" => Self::Ask(Claim::read(&mut fields)?),
            "held" => Self::Held(Held {
                run: ClaimId::new(fields.next("run")?.as_bytes())?,
                tick: TickTime(fields.number("tick")?),
                attempt: fields.small("attempt")?,
                job: fields.job()?,
                state_file: fields.bytes("state")?,
            }),
            "not-started" => Self::NotStarted {
                why: fields.text("why")?,
            },
            "ended" => {
                let result = fields.next("result")?;
                let code: i32 = i32::try_from(fields.small("code")?).ok()?;
                Self::Ended(Ended {
                    outcome: match result {
                        "exit" => Outcome::Exited(u8::try_from(code).ok()?),
                        "signal" => Outcome::Killed(code),
                        _ => return None,
                    },
                    is_demoted: fields.choice("demoted", "no", "yes")?,
                    lasted: Duration::from_millis(fields.number("lasted")?),
                })
            }
            _ => return None,
        };
        fields.end()?;
        Some(request)
    }
}

impl Claim {
    fn line(&self, word: &str) -> String {
        format!(
            "{word} run={} at={} boot={} within={} rerun={} overlap={} kill_after={} tick={} job={} state={}",
            self.run.as_str(),
            self.started_wall.0.as_millis(),
            self.started_boot.0.as_millis(),
            optional(self.start_within.map(|within| within.as_millis())),
            self.rerun,
            if self.skips_overlap { "skip" } else { "allow" },
            optional(self.kill_after.map(|after| after.as_millis())),
            optional(self.tick.map(|tick| u128::from(tick.0))),
            encode(self.job.as_bytes()),
            encode(&self.state_file)
        )
    }

    fn read(fields: &mut Fields) -> Option<Self> {
        Some(Self {
            run: ClaimId::new(fields.next("run")?.as_bytes())?,
            started_wall: WallTime(Duration::from_millis(fields.number("at")?)),
            started_boot: BootTime(Duration::from_millis(fields.number("boot")?)),
            start_within: fields.optional("within")?.map(Duration::from_millis),
            rerun: fields.small("rerun").filter(|rerun| *rerun <= MOST_RERUNS)?,
            skips_overlap: fields.choice("overlap", "allow", "skip")?,
            kill_after: fields.optional("kill_after")?.map(Duration::from_millis),
            tick: fields.optional("tick")?.map(TickTime),
            job: fields.job()?,
            state_file: fields.bytes("state")?,
        })
    }
}

impl Answer {
    /// The line, without a newline.
    #[must_use]
    pub fn line(&self) -> String {
        match self {
            Self::Wait(wait) => format!(
                "wait until={} tick={} reason={} by={}",
                wait.until.0.as_millis(),
                optional(wait.tick.map(|tick| u128::from(tick.0))),
                wait.reason.as_str(),
                node(wait.by.as_deref())
            ),
            Self::Grant(grant) => format!(
                "grant tick={} attempt={} start_by={} lease={}",
                grant.tick.0,
                grant.attempt,
                grant.start_by.0.as_millis(),
                encode(grant.lease.as_bytes())
            ),
            Self::Over(over) => {
                let why = match over.reason {
                    OverReason::NoGrant(why) => why.as_str(),
                    _ => "-",
                };
                let ended = over
                    .ended
                    .map_or_else(String::new, |ended| format!(" ended={}", ended.as_str()));
                format!(
                    "over reason={} why={why} by={} tick={}{ended}",
                    over.reason.as_str(),
                    node(over.by.as_deref()),
                    optional(over.tick.map(|tick| u128::from(tick.0)))
                )
            }
            Self::Refused { message } => format!("refused message={}", encode(message.as_bytes())),
            Self::Would { tick, text } => format!(
                "would tick={} text={}",
                optional(tick.map(|tick| u128::from(tick.0))),
                encode(text.as_bytes())
            ),
            Self::Noted => String::from("noted"),
        }
    }

    /// Reads what [`Answer::line`] writes; `None` for everything else.
    #[must_use]
    pub fn parse(line: &[u8]) -> Option<Self> {
        let (word, mut fields) = Fields::begin(line)?;
        let answer = match word {
            "wait" => Self::Wait(Wait {
                until: fields.boot("until")?,
                tick: fields.optional("tick")?.map(TickTime),
                reason: wait_reason(fields.next("reason")?)?,
                by: fields.node("by")?,
            }),
            "grant" => Self::Grant(Grant {
                tick: TickTime(fields.number("tick")?),
                attempt: fields.small("attempt").filter(|attempt| *attempt > 0)?,
                start_by: fields.boot("start_by")?,
                lease: fields.text("lease")?,
            }),
            "over" => {
                let (reason, why) = (fields.next("reason")?, fields.next("why")?);
                Self::Over(Over {
                    reason: over_reason(reason, why)?,
                    by: fields.node("by")?,
                    tick: fields.optional("tick")?.map(TickTime),
                    ended: if fields.is_at_end() {
                        None
                    } else {
                        Some(run_result(fields.next("ended")?)?)
                    },
                })
            }
            "refused" => Self::Refused {
                message: fields.text("message")?,
            },
            "would" => Self::Would {
                tick: fields.optional("tick")?.map(TickTime),
                text: fields.text("text")?,
            },
            "noted" => Self::Noted,
            _ => return None,
        };
        fields.end()?;
        Some(answer)
    }
}

/// Writes `%XX` for `%`, `/`, and everything that is not visible ASCII. An empty text becomes `%`.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    if bytes.is_empty() {
        return String::from("%");
    }
    let mut text = String::with_capacity(bytes.len());
    for byte in bytes {
        match byte {
            b'!'..=b'~' if !matches!(byte, b'%' | b'/') => text.push(char::from(*byte)),
            _ => {
                text.push('%');
                text.extend([byte >> 4, byte & 15].map(|digit| char::from(b"0123456789ABCDEF"[usize::from(digit)])));
            }
        }
    }
    text
}

/// Reads what [`encode`] writes; `None` for everything else.
#[must_use]
pub fn decode(text: &str) -> Option<Vec<u8>> {
    if text == "%" {
        return Some(Vec::new());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first == b'%' {
            let (digits, tail) = rest.split_at_checked(2)?;
            let digits = core::str::from_utf8(digits).ok()?;
            bytes.push(
                u8::from_str_radix(digits, 16)
                    .ok()
                    .filter(|_| !digits.starts_with('+'))?,
            );
            rest = tail;
        } else {
            bytes.push(*first);
        }
    }
    (encode(&bytes) == text).then_some(bytes)
}

/// What is left to read of a line.
struct Fields<'a>(core::str::Split<'a, char>);

impl<'a> Fields<'a> {
    fn begin(line: &'a [u8]) -> Option<(&'a str, Self)> {
        if line.len() > LONGEST_LINE {
            return None;
        }
        let mut words = core::str::from_utf8(line).ok()?.split(' ');
        Some((words.next()?, Self(words)))
    }

    fn next(&mut self, name: &str) -> Option<&'a str> {
        self.0.next()?.strip_prefix(name)?.strip_prefix('=')
    }

    fn number(&mut self, name: &str) -> Option<u64> {
        let text = self.next(name)?;
        let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
        if plain { text.parse().ok() } else { None }
    }

    fn small(&mut self, name: &str) -> Option<u32> {
        self.number(name).and_then(|number| u32::try_from(number).ok())
    }

    #[expect(
        clippy::option_option,
        reason = "the outer one is for text that cannot be read, the inner one for `-`"
    )]
    fn optional(&mut self, name: &str) -> Option<Option<u64>> {
        let mut ahead = Self(self.0.clone());
        if ahead.next(name)? == "-" {
            *self = ahead;
            return Some(None);
        }
        self.number(name).map(Some)
    }

    fn boot(&mut self, name: &str) -> Option<BootTime> {
        self.number(name).map(|number| BootTime(Duration::from_millis(number)))
    }

    fn bytes(&mut self, name: &str) -> Option<Vec<u8>> {
        decode(self.next(name)?)
    }

    fn text(&mut self, name: &str) -> Option<String> {
        String::from_utf8(self.bytes(name)?).ok()
    }

    fn job(&mut self) -> Option<String> {
        self.text("job").filter(|job| is_job_name(job))
    }

    #[expect(
        clippy::option_option,
        reason = "the outer one is for text that cannot be read, the inner one for `-`"
    )]
    fn node(&mut self, name: &str) -> Option<Option<String>> {
        let text = self.next(name)?;
        if text == "-" {
            return Some(None);
        }
        String::from_utf8(decode(text)?).ok().map(Some)
    }

    fn choice(&mut self, name: &str, no: &str, yes: &str) -> Option<bool> {
        match self.next(name)? {
            word if word == no => Some(false),
            word if word == yes => Some(true),
            _ => None,
        }
    }

    fn is_at_end(&self) -> bool {
        self.0.clone().next().is_none()
    }

    fn end(self) -> Option<()> {
        self.is_at_end().then_some(())
    }
}

/// Whether `once_per_tick` takes this name of a job.
#[must_use]
pub fn is_job_name(name: &str) -> bool {
    (1..=LONGEST_JOB_NAME).contains(&name.len()) && !name.chars().any(char::is_control)
}

fn optional(value: Option<u128>) -> String {
    value.map_or_else(|| String::from("-"), |value| format!("{value}"))
}

fn node(name: Option<&str>) -> String {
    name.map_or_else(|| String::from("-"), |name| encode(name.as_bytes()))
}

fn wait_reason(word: &str) -> Option<WaitReason> {
    let found = WaitReason::ALL.into_iter().find(|(_, known)| *known == word);
    found.map(|(reason, _)| reason)
}

fn run_result(word: &str) -> Option<RunResult> {
    let found = RunResult::ALL.into_iter().find(|(_, known)| *known == word);
    found.map(|(result, _)| result)
}

fn over_reason(word: &str, why: &str) -> Option<OverReason> {
    match (word, why) {
        ("no-grant", why) => wait_reason(why).map(OverReason::NoGrant),
        (word, "-") => {
            let found = OverReason::ALL.into_iter().find(|(_, known)| *known == word);
            found.map(|(reason, _)| reason)
        }
        _ => None,
    }
}
