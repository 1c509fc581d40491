use super::*;

// Made by ssh-keygen, which tells these fingerprints too.
const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKloaC2rGBw0nNvsHc/JO3U0C/fY8b91x1WUdURuOsOV";
const CURVE: &str = "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBNa4/Rvr9ZiuVFc/c4V+ccF2zsrYzeJOaKuY/bQdziL/\
    mW0jC6WNMRL9R5BOXK7vvy4kGvzXuiHiyuN6fTwS1gc=";
const CERTIFIED: &str = "ssh-ed25519-cert-v01@openssh.com AAAAIHNzaC1lZDI1NTE5LWNlcnQtdjAxQG9wZW5zc2guY29tAAAAIEnt6gBvM/KahFs6QR8SN6OU9Z9TfGWBeDDaUKe22yl4\
    AAAAIKloaC2rGBw0nNvsHc/JO3U0C/fY8b91x1WUdURuOsOVAAAAAAAAAAcAAAABAAAAEGFkYUBjb3JwLmV4YW1wbGUAAAAR\
    AAAAA2FkYQAAAAZkZXBsb3kAAAAAAAAAAP//////////AAAAAAAAAIIAAAAVcGVybWl0LVgxMS1mb3J3YXJkaW5nAAAAAAAA\
    ABdwZXJtaXQtYWdlbnQtZm9yd2FyZGluZwAAAAAAAAAWcGVybWl0LXBvcnQtZm9yd2FyZGluZwAAAAAAAAAKcGVybWl0LXB0\
    eQAAAAAAAAAOcGVybWl0LXVzZXItcmMAAAAAAAAAAAAAADMAAAALc3NoLWVkMjU1MTkAAAAgCpKno8kIpQZA9kAfdQ31hSNl\
    +i2SvOm/MFoSHxnw0aYAAABTAAAAC3NzaC1lZDI1NTE5AAAAQOcmsBiEY8PbvFL9Qoy950MJ/1swc/zuwGJsoivBIQ6QzYgc\
    G25V5JCbXoP3o8BV2o+fOqS3T3mltMEGIRs44gs=";
const CERTIFIED_CURVE: &str = "ecdsa-sha2-nistp256-cert-v01@openssh.com AAAAKGVjZHNhLXNoYTItbmlzdHAyNTYtY2VydC12MDFAb3BlbnNzaC5jb20AAAAgBYFTCjXAkLSHgPp4X7wLtfH6/lV57BJU\
    YmyjB6Xohi8AAAAIbmlzdHAyNTYAAABBBNa4/Rvr9ZiuVFc/c4V+ccF2zsrYzeJOaKuY/bQdziL/mW0jC6WNMRL9R5BOXK7v\
    vy4kGvzXuiHiyuN6fTwS1gcAAAAAAAAABwAAAAEAAAAQYWRhQGNvcnAuZXhhbXBsZQAAABEAAAADYWRhAAAABmRlcGxveQAA\
    AAAAAAAA//////////8AAAAAAAAAggAAABVwZXJtaXQtWDExLWZvcndhcmRpbmcAAAAAAAAAF3Blcm1pdC1hZ2VudC1mb3J3\
    YXJkaW5nAAAAAAAAABZwZXJtaXQtcG9ydC1mb3J3YXJkaW5nAAAAAAAAAApwZXJtaXQtcHR5AAAAAAAAAA5wZXJtaXQtdXNl\
    ci1yYwAAAAAAAAAAAAAAMwAAAAtzc2gtZWQyNTUxOQAAACAKkqejyQilBkD2QB91DfWFI2X6LZK86b8wWhIfGfDRpgAAAFMA\
    AAALc3NoLWVkMjU1MTkAAABA2yBYTyEykSp+y7a3R1rnCZ5ES9IC88U5HrP0ilWYTKQl62xikh30rt/QWBeLHj6LtRBGItJL\
    xsIHP2I+eUR5BA==";
const OF_KEY: &str = "SHA256:JpVYqLiSiKRF1dMTAQXzRxWlh3fAwPt7FkGQuju/D2E";
const OF_CURVE: &str = "SHA256:SEaax7VeoBXxfXAET75m/L/vTet6w2c/BCUzbv2uGEs";
const OF_AUTHORITY: &str = "SHA256:R6nSx+5zZ9JFWw+XCQssBjo+ttLwizRFmXtpTS9+fF0";

fn told(line: &str) -> String {
    from_ssh(&format!("publickey {line}\n"), Proof::Checked).to_string()
}

#[test]
fn a_key_is_known_by_the_fingerprint_that_ssh_keygen_tells() {
    assert_eq!(told(KEY), format!("SSH key {OF_KEY} (checked)"));
    assert_eq!(told(CURVE), format!("SSH key {OF_CURVE} (checked)"));
}

#[test]
fn a_certificate_tells_its_key_its_principals_and_who_signed_it() {
    for (certified, key) in [(CERTIFIED, OF_KEY), (CERTIFIED_CURVE, OF_CURVE)] {
        let words = format!(
            "SSH key {key} (checked); SSH certificate ada@corp.example for ada, deploy, signed by {OF_AUTHORITY} (checked)"
        );
        assert_eq!(told(certified), words);
    }
}

#[test]
fn what_is_no_key_tells_nothing() {
    let cut = &CERTIFIED[..400];
    let other = KEY.replace("ssh-ed25519", "ssh-rsa");
    for line in
        ["", "ssh-ed25519", "ssh-ed25519 ", "ssh-ed25519 AAAA", "ssh-ed25519 \u{202e}", cut, other.as_str()]
    {
        assert!(from_ssh(&format!("publickey {line}\npassword\n"), Proof::Claimed).is_empty(), "{line}");
    }
}

#[test]
fn what_is_kept_is_read_again_and_what_is_not_ours_is_a_claim() {
    let mut person = from_ssh(&format!("publickey {CERTIFIED}"), Proof::Checked);
    person.add(Mark::User, "grace", Proof::Claimed);
    let stored = person.stored().unwrap();
    assert_eq!(Person::read(&stored), person);
    assert!(
        stored.starts_with(&format!("checked ssh-key {OF_KEY}\nchecked certificate ada@corp")),
        "{stored}"
    );
    assert!(stored.ends_with("\nclaimed user grace"), "{stored}");
    assert_eq!(Person::read("proven by me").to_string(), "user proven by me (claimed)");
    assert_eq!(Person::default().stored(), None);
}

#[test]
fn no_value_begins_a_line_of_its_own_and_none_is_endless() {
    let mut person = Person::default();
    person.add(Mark::Certificate, "x\nchecked user root", Proof::Claimed);
    person.add(Mark::User, &"y".repeat(100_000), Proof::Claimed);
    let stored = person.stored().unwrap();
    assert!(!stored.contains("\nchecked") && stored.len() < 1_000, "{stored}");
    for number in 0..50 {
        person.add(Mark::User, &number.to_string(), Proof::Claimed);
    }
    assert_eq!(person.stored().unwrap().lines().count(), SIGNS);
}

#[test]
fn what_a_client_checked_is_a_claim_to_a_server() {
    let person = from_ssh(&format!("publickey {KEY}"), Proof::Checked).reported();
    assert_eq!(person.to_string(), format!("SSH key {OF_KEY} (claimed, the client checked it)"));
    assert!(person.stored().unwrap().starts_with("reported ssh-key"));
}
