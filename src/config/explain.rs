//! The page `docs/CONFIG.md`, made from the schema.

use std::fmt::Write as _;

use super::schema::{Absent, Field, SECTIONS, Section};

/// The whole page.
#[must_use]
pub fn markdown() -> String {
    let mut page = String::from(
        "# Configuration\n\nGenerated from `src/config/schema.rs`; `UPDATE_DOCS=1 cargo test --test config` rewrites it.\n\n\
         A directory holds `venues.toml`, `limits.toml`, `strategies/*.toml` and optionally `engine.toml`. Without `--config`\n\
         the directory `config/` of the source is used as it was when the program was built. `arbalest check --config DIR`\n\
         lists every mistake at once with file, line, rule and cure, or proves that the configuration can earn; `arbalest config explain`\n\
         prints every value as it was understood, `arbalest config new KIND --out DIR` writes a new configuration.\n\n\
         A bare number is in the unit of the table. Ratios may be written `5`, `\"5 bps\"`, `\"0.05%\"`, spans `250`,\n\
         `\"250ms\"`, `\"1.5s\"`, `\"2min\"`. Write amounts in quotes: `\"0.1\"`. Bounds are inclusive. Secrets never stand in\n\
         these files.\n",
    );
    for section in SECTIONS {
        write_section(section, &mut page);
    }
    page
}

fn write_section(section: &Section, page: &mut String) {
    let mut line = |text: String| {
        let written = writeln!(page, "{text}");
        debug_assert!(written.is_ok(), "Invariant: writing to a string succeeds");
    };
    let table = if section.table.is_empty() {
        String::new()
    } else {
        format!(" {}", section.table)
    };
    line(format!(
        "\n## `{}`{table}\n\n{}\n",
        section.file, section.meaning
    ));
    line(format!("Reload: {}.\n", section.class().words()));
    line("| Key | Unit | Range | Default | Meaning |\n|---|---|---|---|---|".to_owned());
    for field in section.fields {
        let Field {
            key,
            absent,
            meaning,
            ..
        } = field;
        let (unit, range) = field.unit_and_range();
        let default = match absent {
            Absent::Refused => "required".to_owned(),
            Absent::Means("") => "empty".to_owned(),
            Absent::Means(default) => format!("`{default}`"),
            Absent::None(then) => (*then).to_owned(),
        };
        line(format!(
            "| `{key}` | {unit} | {range} | {default} | {meaning} |"
        ));
    }
}
