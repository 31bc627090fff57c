//! A saved `limits.toml` over the running engine: tighter at once, mistakes change nothing.

use arbalest::config::reload::LimitsSource;

use super::world::{SOON, Terms, World, files, live, until};

#[test]
fn a_saved_file_tightens_and_a_wrong_one_changes_nothing() {
    live(async || {
        let world = World::start(Terms::default()).await;
        let directory = tempfile::tempdir().unwrap();
        let all = files(&Terms::default());
        std::fs::create_dir(directory.path().join("strategies")).unwrap();
        for document in [&all.engine, &all.venues, &all.limits, &all.strategies[0]] {
            std::fs::write(directory.path().join(&document.file), &document.text).unwrap();
        }
        let source = LimitsSource::new(directory.path()).unwrap();
        let watch = world.engine.watch_limits(source).unwrap();
        let hash = async || world.snapshot().await.build.limits_hash.clone();
        let before = hash().await;
        assert_eq!(before.len(), 64);
        let save = |text: &str| std::fs::write(directory.path().join("limits.toml"), text).unwrap();
        let tighter = all.limits.text.replace(
            "ref_price_age_ms_max = 10000",
            "ref_price_age_ms_max = 9000",
        );
        save(&tighter);
        let after = until("the tighter limits are in force", SOON, async || {
            let now = hash().await;
            (now != before).then_some(now)
        })
        .await;
        save("order_notional_usd_max = \"a lot\"\n");
        until("the mistakes are an alert", SOON, async || {
            let alerts = world.alerts();
            let told = alerts
                .iter()
                .any(|text| text.contains("the limits in force stay"));
            told.then_some(())
        })
        .await;
        assert_eq!(hash().await, after);
        // Looser: an alert that two people are needed, and nothing else.
        save(&all.limits.text);
        until("the looser limit is an alert", SOON, async || {
            let alerts = world.alerts();
            let told = alerts
                .iter()
                .any(|text| text.contains("two people") && text.contains("ref_price_age_ms_max"));
            told.then_some(())
        })
        .await;
        assert_eq!(hash().await, after);
        drop(watch);
        world.stop().await;
    });
}
