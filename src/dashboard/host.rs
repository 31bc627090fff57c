//! Is this request meant for this machine, and made by somebody on it? Against DNS rebinding and pages of other sites.

/// Whether a Host header names this machine.
#[must_use]
pub(super) fn is_loopback_name(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port))
            if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            name
        }
        Some(_) | None => host,
    };
    matches!(name, "127.0.0.1" | "localhost" | "[::1]")
}

/// Whether a browser says that a page of another origin asks. Programs send neither header.
#[must_use]
pub(super) fn is_foreign_origin(
    host: &str,
    origin: Option<&str>,
    fetch_site: Option<&str>,
) -> bool {
    let other_origin = origin.is_some_and(|origin| origin.strip_prefix("http://") != Some(host));
    let other_site = fetch_site.is_some_and(|site| !matches!(site, "same-origin" | "none"));
    other_origin || other_site
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_names_pass() {
        for host in [
            "127.0.0.1:9464",
            "localhost",
            "localhost:1",
            "[::1]:9464",
            "[::1]",
        ] {
            assert!(is_loopback_name(host), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "127.0.0.1.evil.example:80",
            "localhost.evil.example",
            "10.0.0.1:9464",
            "::1",
            "localhost:",
            "localhost:1:2",
            "evil@localhost",
            "LOCALHOST.",
        ] {
            assert!(!is_loopback_name(host), "{host}");
        }
    }

    #[test]
    fn only_our_own_page_passes() {
        let host = "127.0.0.1:9464";
        assert!(!is_foreign_origin(host, None, None));
        assert!(!is_foreign_origin(
            host,
            Some("http://127.0.0.1:9464"),
            Some("same-origin")
        ));
        assert!(!is_foreign_origin(host, None, Some("none")));
        for origin in [
            "null",
            "",
            "http://evil.example",
            "http://127.0.0.1:9465",
            "https://127.0.0.1:9464",
            "http://localhost:9464",
        ] {
            assert!(is_foreign_origin(host, Some(origin), None), "{origin}");
        }
        assert!(
            is_foreign_origin(host, None, Some("cross-site"))
                && is_foreign_origin(host, None, Some("same-site"))
        );
    }
}
