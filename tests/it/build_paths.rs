//! Where things lie on the machine that builds is nobody's business.

use std::process::Command;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

#[test]
fn where_crates_lie_on_the_building_machine_stands_in_no_binary() {
    let config = std::fs::read_to_string(format!("{ROOT}/.cargo/config.toml")).unwrap();
    assert!(config.contains("rustc-wrapper = \".cargo/rustc\""), "{config}");
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("registry/src/index/one-1.0.0/src");
    std::fs::create_dir_all(&folder).unwrap();
    let (source, program) = (folder.join("main.rs"), home.path().join("program"));
    std::fs::write(&source, "fn main() { assert!(std::env::args().count() > 9) }").unwrap();
    let built = Command::new(format!("{ROOT}/.cargo/rustc"))
        .args(["rustc", "--edition=2024", "-Cstrip=symbols", "-o"])
        .arg(&program)
        .arg(&source)
        .env("CARGO_HOME", home.path())
        .output()
        .unwrap();
    assert!(built.status.success(), "{built:?}");
    let bytes = std::fs::read(&program).unwrap();
    let holds = |text: &str| bytes.windows(text.len()).any(|part| part == text.as_bytes());
    assert!(holds("crates/index/one-1.0.0/src/main.rs") && !holds(home.path().to_str().unwrap()));
}
