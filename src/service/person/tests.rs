use super::*;

const ROOT: [u32; 4] = [0; 4];
const ADA: u32 = 1000;
const GRACE: u32 = 1001;
const UNSET: u32 = u32::MAX;

fn process(pid: u32, name: &str, uids: [u32; 4], login: u32) -> Process {
    Process { pid, parent: pid + 1, name: name.into(), began: 1.0, uids: uids.into(), login }
}

fn of(pid: u32, name: &str, uid: u32) -> Process {
    process(pid, name, [uid; 4], UNSET)
}

#[test]
fn a_process_is_read_whatever_its_name_holds() {
    let stat = "7 (a) (b) 1) S 3 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 12345 0 0 0";
    let found = Process::parse(7, stat, "Name:\tx\nUid:\t1000\t0\t0\t0\n", UNSET).unwrap();
    assert_eq!(
        (found.parent, found.name.as_str(), found.uids.as_slice()),
        (3, "a) (b) 1", [ADA, 0, 0, 0].as_slice())
    );
    assert!((found.began - 123.45).abs() < 1e-9 && !found.is_root());
    assert_eq!(Process::parse(7, "7 (a) S 3", "Uid:\t0\t0\t0\t0\n", UNSET), None);
    assert_eq!(Process::read(std::process::id()).unwrap().pid, std::process::id());
}

#[test]
fn a_session_hangs_on_an_sshd_of_roots_alone() {
    let session = |lineage: &[Process]| session(lineage).map(|(first, sshd)| (first.pid, sshd.pid));
    // OpenSSH's own: root's sshd, the login's, its shell, and what that started.
    let whole =
        [of(1, "keyrack", ADA), of(2, "bash", ADA), of(3, "sshd", ADA), of(4, "sshd", 0), of(5, "sshd", 0)];
    assert_eq!(session(&whole), Some((2, 3)));
    // Root's sessions have no sshd of a login's.
    assert_eq!(session(&[of(1, "keyrack", 0), of(2, "sshd-session", 0), of(3, "sshd", 0)]), Some((1, 2)));
    // Programs of one's own that are called sshd, and setuid programs by such a link.
    assert_eq!(
        session(&[of(1, "keyrack", ADA), of(2, "sshd", ADA), of(3, "sshd", ADA), of(4, "bash", ADA)]),
        None
    );
    let link = process(3, "sshd", [ADA, 0, 0, 0], UNSET);
    assert_eq!(session(&[of(1, "keyrack", ADA), of(2, "sshd", ADA), link, of(4, "bash", ADA)]), None);
    // The nearest false one does not hide the real one.
    let hidden = [of(1, "keyrack", ADA), of(2, "sshd", ADA), of(3, "sshd", ADA), of(4, "sshd", 0)];
    assert_eq!(session(&hidden), Some((2, 3)));
    assert_eq!(session(&[of(1, "keyrack", ADA), of(2, "tmux", ADA), of(3, "systemd", 0)]), None);
}

#[test]
fn who_became_the_login_is_the_owner_of_a_process_above() {
    let sudo =
        [of(1, "keyrack", 0), of(2, "sudo", 0), of(3, "bash", ADA), of(4, "sshd", ADA), of(5, "sshd", 0)];
    assert_eq!(caller(&sudo, 0), Some(ADA));
    let as_other = [of(1, "keyrack", GRACE), of(2, "sudo", 0), of(3, "bash", ADA)];
    assert_eq!(caller(&as_other, GRACE), Some(ADA));
    let from_sshd = [of(1, "keyrack", ADA), of(2, "bash", ADA), of(3, "sshd", 0), of(4, "bash", GRACE)];
    assert_eq!(caller(&from_sshd, ADA), None);
}

#[test]
fn a_login_uid_counts_where_root_set_it_and_nowhere_else() {
    let from = |top: [u32; 4]| {
        [
            process(1, "keyrack", ROOT, GRACE),
            process(2, "sudo", ROOT, GRACE),
            process(3, "bash", [ADA; 4], GRACE),
            process(4, "sshd", top, GRACE),
            process(5, "sshd", ROOT, UNSET),
        ]
    };
    assert_eq!(
        caller(&from(ROOT), 0),
        Some(GRACE),
        "as pam_loginuid sets it, before the session is the login's"
    );
    assert_eq!(caller(&from([ADA; 4]), 0), Some(ADA), "a user wrote a number of their own, before sudo");
    assert_eq!(caller(&from(ROOT), GRACE), None, "the acting login itself");
}

#[test]
fn a_file_is_of_the_session_between_its_sshd_and_its_first_process_alone() {
    assert!(is_within(10.2, 10.0, 10.4) && is_within(9.99, 10.0, 10.4) && is_within(10.41, 10.0, 10.4));
    assert!(!is_within(9.9, 10.0, 10.4), "of a session before");
    assert!(!is_within(10.5, 10.0, 10.4), "written since");
}
