//! Whom to ask, in words, where a letter's keys are of one product or of several.

/// What a letter says about one of its keys.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    /// The product's name.
    pub issuer: &'a str,
    pub contact: Option<&'a str>,
}

/// What all have, if they have one and the same.
pub(super) fn shared<'a>(mut all: impl Iterator<Item = Option<&'a str>>) -> Option<&'a str> {
    let first = all.next()??;
    all.all(|other| other == Some(first)).then_some(first)
}

/// Whom to ask, to stand behind "ask": an address, or each with its products, or the team behind the product.
pub(super) fn ask<'a>(places: impl Iterator<Item = Place<'a>>) -> String {
    let mut teams: Vec<(Option<&str>, Vec<&str>)> = Vec::new();
    for Place { issuer, contact } in places {
        match teams.iter_mut().find(|(known, _)| *known == contact) {
            Some((_, products)) if products.contains(&issuer) => {}
            Some((_, products)) => products.push(issuer),
            None => teams.push((contact, vec![issuer])),
        }
    }
    let words = |(contact, products): &(Option<&str>, Vec<&str>)| match contact {
        Some(contact) if teams.len() == 1 => (*contact).to_owned(),
        Some(contact) => format!("{contact} ({})", listed(products)),
        None if products.len() == 1 => format!("the team that runs {}", products[0]),
        None => format!("the teams that run {}", listed(products)),
    };
    teams.iter().map(words).collect::<Vec<_>>().join(" or ")
}

/// "A", "A and B", "A, B and 3 others".
pub(super) fn listed(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [one, two] => format!("{one} and {two}"),
        [one, two, three] => format!("{one}, {two} and {three}"),
        [one, two, rest @ ..] => format!("{one}, {two} and {} others", rest.len()),
    }
}

#[cfg(test)]
mod tests;
