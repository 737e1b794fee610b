//! A machine's clock that is wrong is corrected, and a slow answer moves nothing.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use kernel::{Clock, ManualClock, SteadyClock};
use switchyard_db::SharedClock;
use testkit::{Role, TestDb};

fn noon() -> DateTime<Utc> {
    "2026-11-21T12:00:00Z".parse().unwrap()
}

#[tokio::test]
async fn a_machine_far_off_is_corrected_by_postgresql() {
    let db = TestDb::new().await;
    let pool = db.pool(Role::Worker);
    let right = SharedClock::new(Arc::new(SteadyClock::new()));
    right.ask(&pool).await.unwrap();
    for wrong in [noon() - TimeDelta::days(3_000), noon() + TimeDelta::days(3_000)] {
        let machine = Arc::new(ManualClock::at(wrong));
        let clock = SharedClock::new(machine.clone());
        assert_eq!(clock.now(), wrong, "believed until it is corrected");
        let before = right.now();
        clock.ask(&pool).await.unwrap();
        let told = clock.now();
        // the two questions were answered one after the other, each within what it took
        assert!(
            before - TimeDelta::seconds(60) <= told && told <= right.now() + TimeDelta::seconds(60),
            "{told}"
        );
        machine.advance_seconds(7);
        assert_eq!(
            clock.now(),
            told + TimeDelta::seconds(7),
            "the machine's pace is believed"
        );
    }
}

#[test]
fn an_answer_moves_it_only_beyond_what_the_question_took() {
    let machine = Arc::new(ManualClock::at(noon()));
    let clock = SharedClock::new(machine);
    let took = |seconds| (noon(), noon() + TimeDelta::seconds(seconds));
    clock.correct(took(4), noon());
    assert_eq!(clock.now(), noon(), "two seconds of four may be the way back");
    clock.correct(took(4), noon() - TimeDelta::seconds(1));
    assert_eq!(clock.now(), noon() - TimeDelta::seconds(3));
    clock.correct(took(0), noon() + TimeDelta::seconds(600));
    assert_eq!(clock.now(), noon() + TimeDelta::seconds(600));
}
