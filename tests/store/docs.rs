//! `docs/STORE.md` lists the tables as they are.

use arbalest::store::page::{BEGIN, END, markdown};

#[test]
fn the_page_lists_every_table() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/STORE.md");
    let text = std::fs::read_to_string(path).unwrap();
    let (before, rest) = text.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let expected = format!("{before}{BEGIN}\n{}\n{END}{after}", markdown());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, expected).unwrap();
    } else {
        assert_eq!(
            text, expected,
            "run UPDATE_DOCS=1 cargo test --test store docs"
        );
    }
}
