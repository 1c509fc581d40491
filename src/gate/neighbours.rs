//! The other gates on the same database: how many they are, and whether this gate and they get in each other's way.

use super::door::Door;
use crate::service::Neighbours;

/// What was said already, so that it is said once for as long as it holds.
#[derive(Debug, Default)]
pub struct Said {
    alone: bool,
    namesake: bool,
}

/// Looks who else is there, and who counts for all of them.
pub async fn look(door: &Door, said: &mut Said) {
    if let Err(why) = door.limiter.look_round().await {
        door.log(|| tracing::warn!(why, "the shared limiter can't be asked"));
    }
    let Ok(Neighbours { living, others, namesakes }) = door.gate.neighbours().await else { return };
    door.limiter.set_gates(living);
    let alone = others > 0 && !door.limiter.is_shared();
    if alone && !said.alone {
        tracing::warn!(
            others,
            "other gates are on this database, and this one counts requests by itself: a key that is used at several of them \
             has its whole budget at each. Start them with --limits, so that they count together"
        );
    }
    let namesake = namesakes > 0;
    if namesake && !said.namesake {
        tracing::warn!(
            namesakes,
            "another gate on this database has the same name: each writes its windows of limits over the other's. Start each \
             with a --name of its own"
        );
    }
    *said = Said { alone, namesake };
}
