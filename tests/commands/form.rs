//! `amparo form`.

use super::harness::World;

#[test]
fn a_blank_form_can_be_sealed_with_at_once() {
    let world = World::with_vault();
    for kind in ["testimony", "document", "medical", "photo", "audio", "video", "web", "object", "other"] {
        let form = world.run("lawyer", &["form", kind]).exits(0);
        world.write("lawyer/f.toml", form.out.as_bytes());
        world.write("lawyer/e.txt", kind.as_bytes());
        world.run("lawyer", &["seal", "e.txt", "--form", "f.toml", "--vault", "evidence"]).exits(0);
    }
    world.run("lawyer", &["form", "testimonial"]).exits(2).says("testimony");
    assert_eq!(world.run("lawyer", &["form", "photo", "--json"]).exits(0).json()["kind"], "photo");
}
