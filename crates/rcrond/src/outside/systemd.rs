pub(crate) fn ready() {}
pub(crate) fn status(_: &str) {}
pub(crate) fn reloading() {}
pub(crate) fn stopping() {}
pub(crate) fn extend_timeout(_: std::time::Duration) {}
pub(crate) fn watchdog_interval() -> Option<std::time::Duration> {
    None
}
pub(crate) fn alive() {}
