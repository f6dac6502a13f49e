pub(crate) fn note(text: &str) {
    eprintln!("{text}");
}
pub(crate) fn warn(text: &str) {
    eprintln!("{text}");
}
pub(crate) fn error(text: &str) {
    eprintln!("{text}");
}
pub(crate) fn state(cluster: &str, active: bool) {
    eprintln!("{cluster} {active}");
}
pub(crate) fn tell(tell: &policy::lease::Tell, detail: Option<&str>) {
    eprintln!("{tell:?} {detail:?}");
}
