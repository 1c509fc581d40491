//! Policies as people write them: TOML, refused with line and reason where it is wrong.
