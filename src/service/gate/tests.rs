use super::*;

async fn gate(folder: &std::path::Path) -> Gate {
    let store = Store::open(&Location::Sqlite(folder.join("keyrack.db"))).await.unwrap();
    Gate::begin(store, Clock::System, GateSettings::default()).await.unwrap()
}

#[tokio::test]
async fn a_part_that_ends_before_its_time_breaks_the_gate() {
    let folder = tempfile::tempdir().unwrap();
    let gate = gate(folder.path()).await;
    assert_eq!(gate.broken(), None);
    gate.inner.tasks.lock().await.abort_all();
    tokio::time::timeout(Duration::from_secs(5), gate.breaks()).await.unwrap();
    assert!(gate.broken().is_some());
    gate.close().await;
}

#[tokio::test]
async fn a_task_that_panics_breaks_the_gate_and_one_that_is_told_to_end_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let gate = gate(folder.path()).await;
    let (end, ending) = channel::channel(false);
    let told = gate.guard("one that was told", ending.clone());
    end.send_replace(true);
    drop(told);
    assert_eq!(gate.broken(), None);
    let (_end, ending) = channel::channel(false);
    let guard = gate.guard("one that panics", ending);
    let task = tokio::spawn(async move {
        let _guard = guard;
        panic!("as it must");
    });
    assert!(task.await.unwrap_err().is_panic());
    assert_eq!(gate.broken(), Some("one that panics"));
    gate.close().await;
}
