//! `docs/RISK.md` lists what the code checks; `UPDATE_DOCS=1 cargo test --test risk` writes it.

use std::fmt::Write as _;
use std::path::PathBuf;

use arbalest::risk::Refusal;

const BEGIN: &str = "<!-- begin: generated from src/risk/refusal.rs -->";
const END: &str = "<!-- end: generated -->";

fn table() -> String {
    let mut text = format!(
        "{BEGIN}\n\n| Row | Code | Refuses when | Limit from | Skipped by reducing orders |\n|---|---|---|---|---|\n"
    );
    for row in Refusal::ROWS {
        let skipped = if row.increasing_only { "yes" } else { "no" };
        writeln!(
            text,
            "| {} | `{}` | {} | {} | {skipped} |",
            row.row, row.code, row.when, row.limit
        )
        .unwrap();
    }
    text + "\n" + END
}

#[test]
fn the_page_lists_what_the_code_checks() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/RISK.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let wanted = format!("{before}{}{after}", table());
    if std::env::var("UPDATE_DOCS").is_ok() {
        std::fs::write(&path, &wanted).unwrap();
        return;
    }
    assert!(
        page == wanted,
        "docs/RISK.md is not what the code says: run UPDATE_DOCS=1 cargo test --test risk"
    );
}
