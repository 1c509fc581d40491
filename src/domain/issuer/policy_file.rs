//! Policies as people write them: TOML, refused with line and reason where it is wrong.

use super::Policy;

/// The presets: slug and TOML text, in the order in which they are offered.
pub const PRESETS: [(&str, &str); 4] = [
    ("voicegram", include_str!("presets/voicegram.toml")),
    ("voxpria", include_str!("presets/voxpria.toml")),
    ("vozagent", include_str!("presets/vozagent.toml")),
    ("voiceinfra", include_str!("presets/voiceinfra.toml")),
];

/// The preset policy of this slug.
pub fn preset(slug: &str) -> Option<Policy> {
    let (_, text) = PRESETS.iter().find(|(name, _)| *name == slug)?;
    toml::from_str(text).ok()
}

/// All presets, in the order in which they are offered.
pub fn all_presets() -> Vec<Policy> {
    PRESETS.iter().filter_map(|(slug, _)| preset(slug)).collect()
}

#[cfg(test)]
mod tests;
