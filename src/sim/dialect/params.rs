//! Request parameters, from a query and form body or from the JSON of the WebSocket API, and the text that is signed.

use serde_json::Value;

/// Parameters in the order sent; the first of a name counts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Params {
    pairs: Vec<(String, String)>,
    /// What the signature is made over.
    pub(crate) payload: String,
}

impl Params {
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.pairs
            .iter()
            .find(|(key, value)| key == name && !value.is_empty())
            .map(|(_, value)| value.as_str())
    }

    /// From a query string and a form body. The payload is both joined without a separator, less the signature.
    pub(crate) fn from_http(query: &str, body: &str) -> Self {
        let mut params = Self::default();
        for part in [query, body] {
            let mut first = true;
            for pair in part.split('&').filter(|pair| !pair.is_empty()) {
                let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
                params.pairs.push((decode(key), decode(value)));
                if key == "signature" {
                    continue;
                }
                if !first {
                    params.payload.push('&');
                }
                params.payload.push_str(pair);
                first = false;
            }
        }
        params
    }

    /// From the `params` object of the WebSocket API. The payload is sorted by name, values as they are.
    pub(crate) fn from_json(value: Option<&Value>) -> Self {
        let mut params = Self::default();
        let Some(object) = value.and_then(Value::as_object) else {
            return params;
        };
        for (key, value) in object {
            let text = match value {
                Value::String(text) => text.clone(),
                Value::Null
                | Value::Bool(_)
                | Value::Number(_)
                | Value::Array(_)
                | Value::Object(_) => value.to_string(),
            };
            params.pairs.push((key.clone(), text));
        }
        params.pairs.sort();
        for (key, value) in params.pairs.iter().filter(|(key, _)| key != "signature") {
            if !params.payload.is_empty() {
                params.payload.push('&');
            }
            params.payload.push_str(key);
            params.payload.push('=');
            params.payload.push_str(value);
        }
        params
    }
}

/// Percent-decodes one value; bytes that are no escape stay.
pub(crate) fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        let escape = (byte == b'%')
            .then(|| after.get(..2).and_then(hex_byte))
            .flatten();
        if let Some(value) = escape {
            bytes.push(value);
            rest = after.get(2..).unwrap_or_default();
        } else {
            bytes.push(if byte == b'+' { b' ' } else { byte });
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex_byte(digits: &[u8]) -> Option<u8> {
    let text = std::str::from_utf8(digits).ok()?;
    u8::from_str_radix(text, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn http_payload_joins_query_and_body_without_separator() {
        let params = Params::from_http(
            "symbol=LTCBTC&side=BUY",
            "quantity=1&price=0.1&signature=ab%3D",
        );
        assert_eq!(params.payload, "symbol=LTCBTC&side=BUYquantity=1&price=0.1");
        assert_eq!(params.get("signature"), Some("ab="));
        assert_eq!(params.get("price"), Some("0.1"));
        assert_eq!(decode("%EF%BC%91x%2"), "１x%2");
    }

    #[test]
    fn json_payload_is_sorted_and_not_encoded() {
        let value: Value =
            serde_json::from_str(r#"{"symbol":"１２","apiKey":"k","timestamp":5,"signature":"z"}"#)
                .unwrap();
        let params = Params::from_json(Some(&value));
        assert_eq!(params.payload, "apiKey=k&symbol=１２&timestamp=5");
    }
}
