//! Lists as the audit and a row spell them, in one order.

use std::collections::BTreeSet;

use serde_json::Value;

/// The texts of an array, in one order.
pub(super) fn words(array: &Value, each: fn(&str) -> String) -> String {
    let all = array.as_array().into_iter().flatten().filter_map(Value::as_str).map(each);
    all.collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(" ")
}

/// The words of a column, in one order: `a b` or `{a,b}`.
pub(super) fn split(text: &str, each: fn(&str) -> String) -> String {
    let all = text.split(|c: char| c.is_whitespace() || "{},\"".contains(c)).filter(|word| !word.is_empty());
    all.map(each).collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(" ")
}

/// One spelling of a network; what is none stays as it is.
pub(super) fn network(text: &str) -> String {
    let net = text.parse::<ipnet::IpNet>();
    let net = net.or_else(|_| text.parse::<std::net::IpAddr>().map(ipnet::IpNet::from));
    net.map_or_else(|_| text.to_owned(), |net| net.to_string())
}
