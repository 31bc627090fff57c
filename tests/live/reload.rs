//! A saved `limits.toml` over the running engine: tighter at once, mistakes change nothing.

use arbalest::config::reload::LimitsSource;

use arbalest::risk::{
    Hex32, KillLevel, OperatorCommand, OperatorDone, OperatorRefusal, Person, Role, Scope,
};
use std::sync::Arc;

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

/// Whoever may write the file and restart the engine is still one person.
#[test]
fn a_restart_with_a_looser_file_needs_the_two_people_that_a_reload_needs() {
    live(async || {
        let world = World::start(Terms::default()).await;
        let in_force = async |world: &World| {
            let own = world.engine.limits().await.unwrap();
            own.unrealized_loss_usd_max.to_string()
        };
        assert_eq!(in_force(&world).await, "100000");
        let looser = Terms {
            loss_max: "200000",
            ..Terms::default()
        };
        let stays = "unrealized_loss_usd_max stays 100000 (the file says 200000)";
        let told = |world: &World| world.alerts().iter().any(|text| text.contains(stays));
        assert!(!told(&world));
        let world = world.restart_with(&looser).await;
        assert_eq!(in_force(&world).await, "100000");
        assert!(told(&world), "{:?}", world.alerts());
        // Nor does a second restart help.
        let world = world.restart_with(&looser).await;
        assert_eq!(in_force(&world).await, "100000");
        assert!(told(&world));

        let mut limits = (*world.engine.limits().await.unwrap()).clone();
        limits.unrealized_loss_usd_max = "200000".parse().unwrap();
        world.raise(Scope::Portfolio, KillLevel::ReduceOnly).await;
        let token = Hex32([3; 32]);
        let propose = OperatorCommand::ProposeLimits {
            limits: Arc::new(limits),
            by: Person::new("ada", Role::Admin),
            reason: "larger book".to_owned(),
            token,
        };
        let Ok(OperatorDone::LimitsProposed(done)) = world.engine.operate(propose).await.unwrap()
        else {
            panic!("not proposed")
        };
        assert_eq!(done.waiting, ["unrealized_loss_usd_max"]);
        let confirm = |name| OperatorCommand::ConfirmLimits {
            token,
            hash: done.hash,
            by: Person::new(name, Role::RiskOfficer),
        };
        assert_eq!(
            world.engine.operate(confirm("Ada")).await.unwrap(),
            Err(OperatorRefusal::SamePerson("ada".to_owned()))
        );
        assert!(world.engine.operate(confirm("olga")).await.unwrap().is_ok());
        assert_eq!(in_force(&world).await, "200000");
        // What two people agreed on is what the next start compares with.
        let world = world.restart_with(&looser).await;
        assert_eq!(in_force(&world).await, "200000");
        assert!(!told(&world));
        world.stop().await;
    });
}
