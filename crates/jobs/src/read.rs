//! Reading the crontabs.

use crate::cron::Cron;
use crate::files::{self, CrontabFile, NotRead, Source};
use crate::fingerprint;
use crate::hash;
use crate::limits::Limits;
use crate::line::JobLine;
use crate::rejection::Rejection;
use crate::rights::Rights;
use crate::root::Root;
use crate::settings::{Budget, Configurations, Unsettled};
use crate::unread::Unread;
use crate::users::{User, Users};
use crate::zones::{self, Zones};
use crate::{Jobs, Places};
use crontab::call::Call;
use crontab::schedule::{Dialect, Schedule};
use crontab::{Crontab, Entry, Kind, Line};
use inputs::command_line::{self, Invocation, Request};
use policy::command::Mode;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use sys::file::Unreadable;

pub(crate) fn read(root: &Root, limits: &Limits) -> Jobs {
    let print = fingerprint::of_crontabs(root);
    let mut unread = Vec::new();
    let mut reader = Reader {
        root,
        limits,
        cron: Cron::find(root),
        users: Users::read(root, &mut unread),
        lines: Vec::new(),
        unread,
        zones: Zones::default(),
        configurations: Configurations::default(),
    };
    reader.read_all();
    let (mut named, mut users) = (Places::new(), BTreeMap::<u32, BTreeSet<_>>::new());
    for (place, line) in reader.lines.iter().enumerate() {
        if let Some(name) = &line.name {
            let key = (Arc::clone(&line.user), name.clone());
            named.entry(key).or_default().push(place);
        }
        if let Some(uid) = line.uid {
            users.entry(uid).or_default().insert(Arc::clone(&line.user));
        }
    }
    Jobs {
        named,
        users,
        lines: reader.lines,
        unread: reader.unread,
        system_zone: zones::of_system(root),
        print,
        configurations: reader.configurations.prints,
    }
}

/// In bytes. Hardly any crontab that a person has written is longer.
const LARGE: usize = 64 << 10;

struct Reader<'a> {
    root: &'a Root,
    limits: &'a Limits,
    cron: Cron,
    users: Users,
    lines: Vec<JobLine>,
    unread: Vec<Unread>,
    zones: Zones,
    configurations: Configurations,
}

/// A crontab that is being read.
struct Context<'a> {
    file: &'a CrontabFile,
    path: Arc<Path>,
    budget: Budget,
}

impl Reader<'_> {
    /// Large crontabs of users come last, so that they do not take the place of others.
    fn read_all(&mut self) {
        let (mut bytes, mut large) = (0, Vec::new());
        for source in files::list(self.root, &mut self.unread) {
            match self.open(source.clone()) {
                Some(file) if file.user().is_some_and(|user| user != b"root") && file.text.len() > LARGE => {
                    large.push(source);
                }
                Some(file) => self.read_within_limits(&file, &mut bytes),
                None => {}
            }
        }
        for source in large {
            if let Some(file) = self.open(source) {
                self.read_within_limits(&file, &mut bytes);
            }
        }
    }

    /// `None` if there is nothing that cron reads, or that can be read here.
    fn open(&mut self, source: Source) -> Option<CrontabFile> {
        let outside = self.root.outside(source.file());
        let error = match files::read(self.root, &self.cron, source) {
            Ok(file) => return Some(file),
            // cron has no jobs from there either.
            Err(NotRead::Missing | NotRead::Link) => return None,
            Err(NotRead::Denied(error)) => Unreadable::System(error),
            Err(NotRead::Unreadable(error)) => error,
        };
        self.unread.push(Unread::File(outside, error));
        None
    }

    fn read_within_limits(&mut self, file: &CrontabFile, bytes: &mut usize) {
        let sum = *bytes + file.text.len();
        if sum <= self.limits.bytes && self.lines.len() < self.limits.lines {
            *bytes = sum;
            self.read_file(file);
        } else {
            self.unread.push(Unread::Lines(file.outside.clone(), 1));
        }
    }

    fn read_file(&mut self, file: &CrontabFile) {
        let dialect = self.cron.dialect.unwrap_or(Dialect::Debian); // their jobs are written alike
        if Rejection::find(self.root, &self.users, &self.cron, dialect, file).is_some() {
            return;
        }
        if let Some(line) = file.cut {
            self.unread.push(Unread::Lines(file.outside.clone(), line));
        }
        if !has_rcron(&file.text) {
            return;
        }
        let crontab = Crontab::parse(&file.text, file.kind(), dialect);
        if dialect == Dialect::Debian && self.is_rejected(file, &crontab) {
            return;
        }
        if let Some(line) = crontab.skipped.first() {
            self.unread.push(Unread::Lines(file.outside.clone(), *line));
        }
        let (is_users, before) = (file.user().is_some(), self.lines.len());
        let of_user = |limit: usize, most: usize| if is_users { limit } else { most };
        let most = of_user(self.limits.lines_of_user, usize::MAX).min(self.limits.lines.saturating_sub(before));
        let files = of_user(self.limits.configurations_of_user, usize::MAX);
        let lookups = of_user(self.limits.lookups_of_user, usize::MAX);
        let mut context = Context {
            file,
            path: file.inside.as_path().into(),
            budget: Budget::new(self.root, files, lookups),
        };
        for entry in &crontab.entries {
            // cronie ignores a last line without a newline.
            let Some(schedule) = entry.when.filter(|_| crontab.unfinished != Some(entry.line)) else {
                continue;
            };
            // A shell command is not parsed in vain: that takes most of the time.
            if !has_rcron(&entry.command) {
                continue;
            }
            for call in &Line::parse(entry).judgement.calls {
                if self.lines.len() - before >= most {
                    self.unread.push(Unread::Lines(file.outside.clone(), entry.line));
                    return;
                }
                let line = self.read_call(&mut context, entry, schedule, call);
                self.lines.extend(line);
            }
        }
    }

    /// Whether Debian's cron ignores the whole file because of its content.
    fn is_rejected(&self, file: &CrontabFile, crontab: &Crontab) -> bool {
        let is_nobody = |entry: &Entry| self.users.find(entry.user) == User::None;
        let has_nobody = file.kind() == Kind::System && crontab.entries.iter().any(is_nobody);
        !crontab.mistakes.is_empty() || crontab.unfinished.is_some() || has_nobody
    }

    /// `None` if rcron runs no job there.
    fn read_call(&mut self, context: &mut Context, entry: &Entry, schedule: Schedule, call: &Call) -> Option<JobLine> {
        let arguments = call.words.iter().map(|word| OsString::from_vec(word.text.clone()));
        let Ok(Request::Job(invocation)) = command_line::read(lexopt::Parser::from_iter(arguments)) else {
            return None;
        };
        let user = self.users.find(entry.user);
        let of_cronie = |name: &[u8]| {
            entry
                .variable(name)
                .filter(|_| self.cron.dialect == Some(Dialect::Cronie))
        };
        let zone = of_cronie(b"CRON_TZ").filter(|zone| !zone.is_empty());
        let is_delayed = of_cronie(b"RANDOM_DELAY").is_some_and(is_delay);
        let own_zone = zone.and_then(|zone| self.zones.named(self.root, zone));
        Some(JobLine {
            file: Arc::clone(&context.path),
            line: entry.line,
            user: entry.user.into(),
            uid: uid(&user, context.file),
            config: self.config(context, &user, call, &invocation),
            name: invocation.options.job_name,
            conf: invocation.options.conf,
            options: invocation.options.settings,
            is_dry_run: invocation.options.dry_run,
            schedule_text: entry.schedule.to_vec(),
            schedule,
            dialect: self.cron.dialect,
            zone: zone.map(<[u8]>::to_vec),
            is_delayed,
            command_hash: hash::of_command(&entry.command),
            own_zone,
        })
    }

    fn config(
        &mut self,
        context: &mut Context,
        user: &User,
        call: &Call,
        invocation: &Invocation,
    ) -> Result<Arc<policy::config::Config>, Unsettled> {
        let of_job = match invocation.job.mode {
            Mode::Direct => invocation.job.argv().len(),
            Mode::Shell => 1,
        };
        let options = &call.words[..call.words.len().saturating_sub(of_job)];
        if !options.iter().all(|word| word.is_literal) {
            return Err(Unsettled::Expansion);
        }
        let owner;
        let rights = match user {
            User::Known(rights) => rights,
            // A directory service knows the user. cron has checked who owns the crontab.
            User::Unknown if context.file.user().is_some() => {
                let metadata = &context.file.metadata;
                owner = self.users.owner(metadata.uid(), metadata.gid());
                &owner
            }
            User::Unknown | User::None => return Err(Unsettled::Denied),
        };
        let Invocation { options, .. } = invocation;
        let conf = options.conf.as_deref();
        let settings = &options.settings;
        self.configurations
            .settings(self.root, rights, conf, settings, &mut context.budget)
    }
}

fn has_rcron(command: &[u8]) -> bool {
    command.windows(b"rcron".len()).any(|part| part == b"rcron")
}

/// Whether cronie delays jobs by this `RANDOM_DELAY`: a part of so many minutes, rounded down. It rejects other values.
fn is_delay(value: &[u8]) -> bool {
    let digits = value.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let minutes = std::str::from_utf8(&value[..digits])
        .ok()
        .and_then(|text| text.parse().ok());
    minutes.is_some_and(|minutes: u32| (2..=24 * 60).contains(&minutes))
}

fn uid(user: &User, file: &CrontabFile) -> Option<u32> {
    match user {
        User::Known(Rights::Own) => Some(0),
        User::Known(Rights::Of(identity)) => Some(identity.uid),
        User::Unknown => file.user().map(|_| file.metadata.uid()),
        User::None => None,
    }
}

#[cfg(test)]
mod tests;
