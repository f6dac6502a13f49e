use tokio::sync::mpsc;
pub(crate) struct Ask {
    pub(crate) request: control::Request,
    pub(crate) replies: mpsc::Sender<control::Response>,
}
pub(crate) fn listen(path: &std::path::Path) -> std::io::Result<tokio::net::UnixListener> {
    let _ = std::fs::remove_file(path);
    tokio::net::UnixListener::bind(path)
}
pub(crate) async fn serve(_l: tokio::net::UnixListener, _a: mpsc::Sender<Ask>) {}
