//! What is seen from outside.
pub(crate) mod log;
pub(crate) mod metrics;
pub(crate) mod socket;
pub(crate) mod systemd;

use policy::moment::BootTime;

/// How things were at a moment.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot {
    pub(crate) taken: BootTime,
    pub(crate) report: control::Report,
}

impl Snapshot {
    pub(crate) fn nothing() -> Self {
        Self {
            taken: BootTime(std::time::Duration::ZERO),
            report: control::Report {
                node: String::new(),
                version: String::new(),
                store: control::StoreReport::default(),
                clusters: Vec::new(),
            },
        }
    }
}
