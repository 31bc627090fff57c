//! Binance Spot signing, held to the venue's published vectors. The rules live in `exchanges/binance/params.rs`:
//! REST signs the percent-encoded query in the order sent, the WebSocket API the raw parameters sorted by name.

#[cfg(test)]
mod tests {
    use secrecy::SecretString;

    use crate::exchanges::binance::params::Params;
    use crate::exchanges::secret::{Credentials, KeyKind};

    const API_KEY: &str = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A";
    /// Published by the venue for these examples.
    const SECRET: &str = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j";
    const DOC_KEY: &str = "MC4CAQAwBQYDK2VwBCIEIIJEYWtGBrhACmb9Dvy+qa8WEf0lQOl1s4CLIAB9m89u";

    fn credentials(kind: KeyKind, api_key: &str, secret: &str) -> Credentials {
        Credentials::new(kind, api_key.into(), &SecretString::from(secret)).unwrap()
    }

    #[test]
    fn rest_vectors() {
        let credentials = credentials(KeyKind::HmacSha256, API_KEY, SECRET);
        for (symbol, encoded, signature) in [
            (
                "LTCBTC",
                "LTCBTC",
                "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71",
            ),
            (
                "１２３４５６",
                "%EF%BC%91%EF%BC%92%EF%BC%93%EF%BC%94%EF%BC%95%EF%BC%96",
                "e1353ec6b14d888f1164ae9af8228a3dbd508bc82eb867db8ab6046442f33ef3",
            ),
        ] {
            let mut params = Params::default();
            params.text("symbol", symbol);
            params.text("side", "BUY");
            params.text("type", "LIMIT");
            params.text("timeInForce", "GTC");
            params.decimal("quantity", 1, 0);
            params.decimal("price", 1, 1);
            params.integer("recvWindow", 5_000);
            params.integer("timestamp", 1_499_827_319_559);
            assert_eq!(
                params.target("/api/v3/order", Some(credentials.signing_key())),
                format!(
                    "/api/v3/order?symbol={encoded}&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1\
                     &recvWindow=5000&timestamp=1499827319559&signature={signature}"
                )
            );
        }
    }

    #[test]
    fn websocket_vectors() {
        let credentials = credentials(KeyKind::HmacSha256, API_KEY, SECRET);
        for (symbol, side, price, quantity, window, signature) in [
            (
                "BTCUSDT",
                "SELL",
                "52000.00",
                "0.01000000",
                100,
                "aa1b5712c094bc4e57c05a1a5c1fd8d88dcd628338ea863fec7b88e59fe2db24",
            ),
            (
                "１２３４５６",
                "BUY",
                "0.10000000",
                "1.00000000",
                5_000,
                "b33892ae8e687c939f4468c6268ddd4c40ac1af18ad19a064864c47bae0752cd",
            ),
        ] {
            let mut params = Params::default();
            params.text("symbol", symbol);
            params.text("type", "LIMIT");
            params.text("side", side);
            params.text("timeInForce", "GTC");
            params.text("price", price);
            params.text("quantity", quantity);
            params.integer("timestamp", 1_645_423_376_532);
            params.integer("recvWindow", window);
            params.text("apiKey", API_KEY);
            let text = params.request(1, "order.place", Some(credentials.signing_key()));
            let value: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert_eq!(value["params"]["signature"], signature);
            assert_eq!(value["params"]["symbol"], symbol);
            assert_eq!(value["params"]["timestamp"], 1_645_423_376_532_i64);
        }
    }

    #[test]
    fn logon_vector() {
        let api_key = "4yNzx3yWC5bS6YTwEkSRaC0nRmSQIIStAUOh1b6kqaBrTLIhjCpI5lJH8q8R8WNO";
        let credentials = credentials(KeyKind::Ed25519, api_key, DOC_KEY);
        let mut params = Params::default();
        params.integer("timestamp", 1_649_729_878_532);
        params.text("apiKey", api_key);
        let text = params.request(1, "session.logon", Some(credentials.signing_key()));
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            value["params"]["signature"],
            "cGkloHLHGGNbrduoWDYBlzIPwRHyDVYVfCE0rDkPwKdKedurBgm2JNWRkwloQDBFG6Mcloavo1siYfEtZbV/Ag=="
        );
        // In a REST query the base64 signature is percent-encoded.
        let mut params = Params::default();
        params.text("apiKey", api_key);
        params.integer("timestamp", 1_649_729_878_532);
        let target = params.target("/x", Some(credentials.signing_key()));
        assert!(target.ends_with("EtZbV%2FAg%3D%3D"), "{target}");
    }
}
