//! Binance USD-M signing: the same rules as spot, held to the venue's published vector.

#[cfg(test)]
mod tests {
    use crate::exchanges::binance::params::Params;
    use crate::exchanges::sign::SigningKey;

    #[test]
    fn rest_vector() {
        let key =
            SigningKey::hmac("2b5eb11e18796d12d88f13dc27dbbd02c2cc51ff7059765ed9821957d82bb4d9");
        let mut params = Params::default();
        params.text("symbol", "BTCUSDT");
        params.text("side", "BUY");
        params.text("type", "LIMIT");
        params.decimal("quantity", 1, 0);
        params.decimal("price", 9_000, 0);
        params.text("timeInForce", "GTC");
        params.integer("recvWindow", 5_000);
        params.integer("timestamp", 1_591_702_613_943);
        let target = params.target("/fapi/v1/order", Some(&key));
        assert!(
            target.ends_with(
                "&signature=3c661234138461fcc7a7d8746c6558c9842d4e10870d2ecbedf7777cad694af9"
            ),
            "{target}"
        );
    }
}
