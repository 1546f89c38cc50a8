//! `amparo util`.

use super::harness::World;

#[test]
fn completions_and_manual_pages() {
    let world = World::new();
    for shell in ["bash", "zsh", "fish"] {
        world.run("ann", &["util", "completion", shell]).exits(0).says("custody");
    }
    world.run("ann", &["util", "man", "pages"]).exits(0);
    assert!(world.read("ann/pages/amparo-identity-new.1").starts_with(b".ie"));
    world.run("ann", &["util", "man", "pages"]).exits(1).says("exists already");
    world.run("ann", &["util", "man", "pages", "--overwrite"]).exits(0);
}
