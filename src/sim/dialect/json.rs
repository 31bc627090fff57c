//! Writes JSON objects in the venue's own field order, straight into one string.

/// An object under construction.
#[derive(Debug)]
pub(crate) struct Obj(String);

impl Obj {
    pub(crate) fn new() -> Self {
        let mut text = String::with_capacity(192);
        text.push('{');
        Self(text)
    }
    fn key(mut self, key: &str) -> Self {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        self.0.push('"');
        self.0.push_str(key);
        self.0.push_str("\":");
        self
    }
    /// A JSON value as it is.
    pub(crate) fn raw(self, key: &str, value: &str) -> Self {
        let mut this = self.key(key);
        this.0.push_str(value);
        this
    }
    /// A text value.
    pub(crate) fn text(self, key: &str, value: &str) -> Self {
        let mut this = self.key(key);
        push_quoted(&mut this.0, value);
        this
    }
    /// An integer.
    pub(crate) fn int(self, key: &str, value: impl std::fmt::Display) -> Self {
        use std::fmt::Write;
        let mut this = self.key(key);
        // Writing into a String cannot fail.
        write!(this.0, "{value}").unwrap_or_default();
        this
    }
    /// True or false.
    pub(crate) fn flag(self, key: &str, value: bool) -> Self {
        self.raw(key, if value { "true" } else { "false" })
    }
    /// The finished object.
    pub(crate) fn end(mut self) -> String {
        self.0.push('}');
        self.0
    }
}

fn push_quoted(out: &mut String, value: &str) {
    if value
        .bytes()
        .all(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\')
    {
        out.push('"');
        out.push_str(value);
        out.push('"');
    } else {
        out.push_str(&quoted(value));
    }
}

/// A text as a JSON value.
pub(crate) fn quoted(value: &str) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| String::from("\"\""))
}

/// An array of JSON values.
pub(crate) fn array(values: impl IntoIterator<Item = String>) -> String {
    let mut text = String::from("[");
    for value in values {
        if text.len() > 1 {
            text.push(',');
        }
        text.push_str(&value);
    }
    text.push(']');
    text
}

/// An array of texts.
pub(crate) fn text_array(values: &[&str]) -> String {
    array(values.iter().map(|value| quoted(value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_kept_and_texts_are_escaped() {
        let text = Obj::new()
            .text("b", "x\"y")
            .int("a", 7)
            .flag("c", true)
            .raw("d", "[]")
            .end();
        assert_eq!(text, r#"{"b":"x\"y","a":7,"c":true,"d":[]}"#);
        assert_eq!(array(["1".to_owned(), "2".to_owned()]), "[1,2]");
    }
}
