//! Who asks, and is it really they: API key, timestamp window, HMAC-SHA256 and Ed25519 signatures.

use aws_lc_rs::{hmac, signature};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::sim::venue::{AccountSetup, VenueCore};
use crate::units::UnixNanos;

use super::error::ApiError;
use super::params::Params;

/// Default and largest `recvWindow`, in milliseconds.
const WINDOW_DEFAULT_MS: i64 = 5_000;
const WINDOW_MAX_MS: i64 = 60_000;

/// The account of an API key.
pub(crate) fn by_key(core: &VenueCore, api_key: Option<&str>) -> Result<usize, ApiError> {
    let api_key = api_key
        .filter(|key| !key.is_empty())
        .ok_or_else(|| ApiError::new(-2014, "API-key format invalid."))?;
    core.setup()
        .accounts
        .iter()
        .position(|account| account.api_key == api_key)
        .ok_or_else(|| ApiError::new(-2015, "Invalid API-key, IP, or permissions for action."))
}

/// Checks `timestamp` and `recvWindow`.
pub(crate) fn check_time(params: &Params, now: UnixNanos) -> Result<(), ApiError> {
    let timestamp = params
        .get("timestamp")
        .ok_or_else(|| ApiError::missing("timestamp"))?;
    let value: i64 = timestamp
        .parse()
        .map_err(|_not_a_number| ApiError::illegal("timestamp"))?;
    // Sixteen digits are microseconds.
    let millis = if timestamp.len() >= 16 {
        value.div_euclid(1_000)
    } else {
        value
    };
    let window = match params.get("recvWindow") {
        None => WINDOW_DEFAULT_MS,
        Some(text) => {
            let whole = text.split('.').next().unwrap_or_default();
            whole
                .parse()
                .map_err(|_not_a_number| ApiError::illegal("recvWindow"))?
        }
    };
    if window > WINDOW_MAX_MS {
        return Err(ApiError::new(-1131, "recvWindow must be less than 60000"));
    }
    let server = now.floor_millis();
    if millis >= server.saturating_add(1_000) {
        return Err(ApiError::new(
            -1021,
            "Timestamp for this request was 1000ms ahead of the server's time.",
        ));
    }
    if server.saturating_sub(millis) > window {
        return Err(ApiError::new(
            -1021,
            "Timestamp for this request is outside of the recvWindow.",
        ));
    }
    Ok(())
}

/// Checks the signature over the payload.
pub(crate) fn check_signature(
    account: &AccountSetup,
    params: &Params,
    ed25519_only: bool,
) -> Result<(), ApiError> {
    let given = params
        .get("signature")
        .ok_or_else(|| ApiError::missing("signature"))?;
    let payload = params.payload.as_bytes();
    let is_hmac = !ed25519_only
        && !account.api_secret.is_empty()
        && is_hmac_of(&account.api_secret, payload, given);
    if is_hmac
        || account
            .ed25519_public
            .as_deref()
            .is_some_and(|public| is_ed25519_of(public, payload, given))
    {
        Ok(())
    } else {
        Err(ApiError::new(
            -1022,
            "Signature for this request is not valid.",
        ))
    }
}

fn is_hmac_of(secret: &str, payload: &[u8], given: &str) -> bool {
    let Some(tag) = from_hex(given) else {
        return false;
    };
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    hmac::verify(&key, payload, &tag).is_ok()
}

fn is_ed25519_of(public: &[u8], payload: &[u8], given: &str) -> bool {
    let Ok(tag) = STANDARD.decode(given) else {
        return false;
    };
    signature::UnparsedPublicKey::new(&signature::ED25519, public)
        .verify(payload, &tag)
        .is_ok()
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    text.as_bytes()
        .chunks(2)
        .map(|pair| {
            std::str::from_utf8(pair)
                .ok()
                .and_then(|pair| u8::from_str_radix(pair, 16).ok())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(secret: &str, public: Option<Vec<u8>>) -> AccountSetup {
        AccountSetup {
            api_key: "k".to_owned(),
            api_secret: secret.to_owned(),
            ed25519_public: public,
            balances: Vec::new(),
        }
    }

    #[test]
    fn published_hmac_vectors_pass_and_a_changed_digit_fails() {
        let secret = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j";
        let query = "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559";
        let tag = "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71";
        let check = |query: &str, tag: &str| {
            let params = Params::from_http(&format!("{query}&signature={tag}"), "");
            check_signature(&account(secret, None), &params, false)
        };
        assert_eq!(check(query, tag), Ok(()));
        assert_eq!(check(query, &tag.to_uppercase()), Ok(()));
        assert_eq!(
            check(query, &tag.replace("c8", "c9")).unwrap_err().code,
            -1022
        );
        let encoded = query.replace(
            "LTCBTC",
            "%EF%BC%91%EF%BC%92%EF%BC%93%EF%BC%94%EF%BC%95%EF%BC%96",
        );
        assert_eq!(
            check(
                &encoded,
                "e1353ec6b14d888f1164ae9af8228a3dbd508bc82eb867db8ab6046442f33ef3"
            ),
            Ok(())
        );
    }

    #[test]
    fn websocket_payload_vector_passes() {
        let secret = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j";
        let json = r#"{"type":"LIMIT","symbol":"BTCUSDT","apiKey":"vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A",
            "price":"52000.00","quantity":"0.01000000","recvWindow":100,"side":"SELL","timeInForce":"GTC","timestamp":1645423376532,
            "signature":"aa1b5712c094bc4e57c05a1a5c1fd8d88dcd628338ea863fec7b88e59fe2db24"}"#;
        let value: serde_json::Value = serde_json::from_str(json).unwrap();
        let params = Params::from_json(Some(&value));
        assert_eq!(
            check_signature(&account(secret, None), &params, false),
            Ok(())
        );
    }

    #[test]
    fn ed25519_logon_vector_passes() {
        let seed = STANDARD
            .decode("MC4CAQAwBQYDK2VwBCIEIIJEYWtGBrhACmb9Dvy+qa8WEf0lQOl1s4CLIAB9m89u")
            .unwrap();
        let pair = signature::Ed25519KeyPair::from_pkcs8_maybe_unchecked(&seed).unwrap();
        let public = signature::KeyPair::public_key(&pair).as_ref().to_vec();
        let query = "apiKey=4yNzx3yWC5bS6YTwEkSRaC0nRmSQIIStAUOh1b6kqaBrTLIhjCpI5lJH8q8R8WNO&timestamp=1649729878532";
        let tag = "cGkloHLHGGNbrduoWDYBlzIPwRHyDVYVfCE0rDkPwKdKedurBgm2JNWRkwloQDBFG6Mcloavo1siYfEtZbV%2FAg%3D%3D";
        let params = Params::from_http(&format!("{query}&signature={tag}"), "");
        assert_eq!(
            check_signature(&account("", Some(public)), &params, true),
            Ok(())
        );
    }

    #[test]
    fn time_window_is_the_published_one() {
        let now = UnixNanos::from_millis(1_700_000_000_000);
        let check = |query: &str| {
            check_time(&Params::from_http(query, ""), now).map_err(|error| error.code)
        };
        assert_eq!(check("timestamp=1700000000999"), Ok(()));
        assert_eq!(check("timestamp=1700000001000"), Err(-1021));
        assert_eq!(check("timestamp=1699999995000"), Ok(()));
        assert_eq!(check("timestamp=1699999994999"), Err(-1021));
        assert_eq!(
            check("timestamp=1699999995000000&recvWindow=5000.5"),
            Ok(())
        );
        assert_eq!(
            check("timestamp=1700000000000&recvWindow=60001"),
            Err(-1131)
        );
        assert_eq!(check("symbol=X"), Err(-1102));
    }
}
