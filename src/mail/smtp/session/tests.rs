use super::*;

fn reply(lines: &[&str]) -> Reply {
    Reply { code: 250, lines: lines.iter().map(|line| (*line).to_owned()).collect() }
}

#[test]
fn what_a_server_offers_is_read_in_any_case_and_never_from_its_name() {
    let offers =
        Offers::read(&reply(&["mx.example.com", "starttls", "Auth login PLAIN XOAUTH2", "SIZE 1000"]));
    assert_eq!(offers, Offers { starttls: true, plain: true, login: true, ..Offers::default() });
    assert_eq!(Offers::read(&reply(&["STARTTLS"])), Offers::default());
    let offers = Offers::read(&reply(&["x", "8BITMIME", "SMTPUTF8", ""]));
    assert!(offers.smtputf8 && offers.eight_bit && !offers.starttls);
}

#[test]
fn a_dot_at_the_beginning_of_a_line_is_doubled() {
    assert_eq!(stuffed(b".\r\n..a\r\nb.\r\n\r\n"), b"..\r\n...a\r\nb.\r\n\r\n");
}
