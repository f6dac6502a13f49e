//! The timeline as one HTML page that needs no network, no fonts and no other file.

use super::bars::Bars;
use super::json;
use super::model::TimelineModel;
use crate::output::json_line;
use std::fmt::Write;

const FRAME: &str = include_str!("page/page.html");
const STYLE: &str = include_str!("page/page.css");
/// Together, in this order, they are one script.
const SCRIPT: [&str; 10] = [
    include_str!("page/data.js"),
    include_str!("page/words.js"),
    include_str!("page/view.js"),
    include_str!("page/shapes.js"),
    include_str!("page/draw.js"),
    include_str!("page/details.js"),
    include_str!("page/selection.js"),
    include_str!("page/tables.js"),
    include_str!("page/pointer.js"),
    include_str!("page/main.js"),
];

/// The browser runs only scripts and applies only styles that carry the nonce, so a journal must not be able to know it.
pub(super) fn render_page(timeline: &TimelineModel, bars: &Bars, nonce: &str) -> Result<String, serde_json::Error> {
    let data = escape_json(&json_line(&json::document(timeline, bars))?);
    let parts = [
        ("NONCE", nonce),
        ("STYLE", STYLE),
        ("VERSION", env!("CARGO_PKG_VERSION")),
        ("DATA", &data),
        ("SCRIPT", &SCRIPT.concat()),
    ];
    Ok(fill_frame(FRAME, &parts))
}

/// 80 random bits.
pub(super) fn nonce() -> String {
    sys::random::ten_bytes().iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// JSON that cannot end a `<script>` or open a comment, without the characters that old browsers read as a newline.
fn escape_json(json: &str) -> String {
    json.replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029")
}

/// Replaces each `@NAME@` in the frame by its part. The parts themselves are not searched.
fn fill_frame(frame: &str, parts: &[(&str, &str)]) -> String {
    let mut page = String::with_capacity(frame.len() + parts.iter().map(|part| part.1.len()).sum::<usize>());
    for (index, piece) in frame.split('@').enumerate() {
        let part = parts.iter().find(|part| index % 2 == 1 && part.0 == piece);
        page.push_str(part.map_or(piece, |part| part.1));
    }
    page
}

#[cfg(test)]
mod tests {
    use super::super::example::{named, ok, seconds};
    use super::super::model::{Journals, build_timeline};
    use super::super::run_span::Window;
    use super::*;

    const HOSTILE: &str = "</script><script>alert(1)</script><!--&\u{2028}@NONCE@";

    fn page() -> String {
        let runs = [named(ok("a", 0, 1), HOSTILE)];
        let window = Window {
            since: seconds(-60),
            now: seconds(60),
        };
        let timeline = build_timeline(&runs, window, Journals::Named(2));
        render_page(&timeline, &Bars::single(&timeline), "secret").expect("a page")
    }

    #[test]
    fn hostile_command_stays_data() {
        let page = page();
        assert_eq!(page.matches("</script>").count(), 2, "of the data and of the script");
        assert!(!page.contains("<!--") && !page.contains('\u{2028}'));
        let (_, data) = page
            .split_once(r#"<script type="application/json" id="data">"#)
            .expect("data");
        let (data, _) = data.split_once("</script>").expect("its end");
        let data: serde_json::Value = serde_json::from_str(data).expect("JSON");
        assert_eq!(data["rows"][0]["name"], HOSTILE);
    }

    #[test]
    fn page_loads_nothing_else() {
        let page = page();
        assert!(page.contains("default-src 'none'"));
        // The name of a namespace, and references to the page's own patterns.
        let page = page.replace("http://www.w3.org/2000/svg", "").replace("url(#", "");
        for word in ["http:", "https:", "@import", "url(", "src="] {
            assert!(!page.contains(word), "{word}");
        }
    }

    #[test]
    fn every_place_in_the_frame_is_filled() {
        assert_eq!(FRAME.matches('@').count() % 2, 0);
        let page = page();
        for place in ["@STYLE@", "@DATA@", "@SCRIPT@", "@VERSION@"] {
            assert!(!page.contains(place), "{place}");
        }
    }

    #[test]
    fn each_page_has_its_own_nonce() {
        assert_ne!(nonce(), nonce());
    }
}
