//! The pages show what is tested.

use std::path::Path;

use crate::support::pages;
use crate::support::servers::BY_SOCKET;

#[test]
fn the_pages_show_the_recipes_that_are_tested() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recipes");
    let page = pages::text();
    for file in std::fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .filter(|file| !file.ends_with("scene.conf"))
    {
        let recipe = std::fs::read_to_string(&file).unwrap();
        assert!(page.contains(&format!("\n{recipe}```\n")), "no page shows {} as it is", file.display());
    }
}

#[test]
fn a_page_tells_how_each_proxy_finds_a_socket() {
    let page = pages::text();
    for (recipe, _, by_socket) in BY_SOCKET {
        let told = by_socket.trim_end_matches([' ', '{', ',']).trim_start_matches(":get { url = gate, ");
        assert!(page.contains(told), "{recipe}: no page tells {told}");
    }
}
