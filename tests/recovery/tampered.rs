//! Each check of the page, shown what it must refuse.

use std::collections::BTreeSet;

use super::{Desk, commands};

/// Tampering, the check, and the words with which the check refuses it.
const CASES: &[(&str, &str, &str, &str)] = &[
    (
        "a bit of a sealed file",
        "flip \"vault/$(sed -n '1s/.* //p' found/exhibits/K7-0002.sha256)\"",
        "cd vault && sha256sum --check ../found/exhibits/K7-0002.sha256",
        "1 computed checksum did NOT match",
    ),
    (
        "a bit of any file",
        "flip \"$(ls vault/keys/*/* | head -n 1)\"; flip \"$(echo vault/logs/*/entries/*/0000000001-*)\"",
        "without_key",
        "WARNING: 2 computed checksums did NOT match",
    ),
    (
        "two sealed files under each other's names",
        "swap $(sealed_files K7-0002 | head -n 2)",
        "cd vault && sha256sum --check ../found/exhibits/K7-0002.sha256",
        "2 computed checksums did NOT match",
    ),
    (
        "two sealed files in the wrong order",
        "true",
        "receipt founder.card $(sealed_files K7-0002 | tac)",
        "not in their order",
    ),
    (
        "the sealed files of another exhibit",
        "true",
        "receipt founder.card $(sealed_files K7-0001)",
        "not the sealed files of the receipt",
    ),
    (
        "a bit of an inventory, a manifest, a segment: whichever file it is",
        "for file in vault/blobs/*/*; do flip \"$file\"; done",
        "recover again",
        "is not the file that its name says",
    ),
    (
        "a bit of an entry",
        "flip $(echo vault/logs/*/entries/*/0000000001-*)",
        "recover again",
        "is not the file that its name says",
    ),
    ("a missing entry", "rm vault/logs/*/entries/*/0000000001-*", "recover again", "holds another entry"),
    (
        "the newest entry is missing",
        "rm $(ls vault/logs/*/entries/*/* | tail -n 1)",
        "recover again",
        "entries and should have",
    ),
    (
        "a state with another root",
        "sed -i '3s/^...../AAAAA/' vault/logs/*/checkpoints/*",
        "recover again",
        "other entries than the signed ones",
    ),
    (
        "a changed value of the record",
        "sed -i 's/text.markdown/text\\/plain/' K7-0001/record.json",
        "check K7-0001",
        "the record is not the signed one",
    ),
    (
        "a field more in the record",
        "sed -i 's/\"fields\": {/\"fields\": {\\n    \"a\": \"b\",/' K7-0001/record.json",
        "check K7-0001",
        "the record is not the signed one",
    ),
    (
        "a key that stands there twice",
        "sed -i 's/\"fields\": {/\"fields\": {\\n    \"identity\\/kind\": \"photo\",/' K7-0001/record.json",
        "check K7-0001",
        "record.json has another form",
    ),
    (
        "words beside the fields of the record",
        "sed -i 's/^  \"fields\"/  \"note\": \"seen\",\\n&/' K7-0001/record.json",
        "check K7-0001",
        "record.json has another form",
    ),
    ("a file beside the content", "echo more > K7-0001/more.txt", "check K7-0001", "something beside the content"),
    (
        "a changed content",
        "sed -i 's/Nadie/Nunca/' K7-0001/content/testimonio.md",
        "check K7-0001",
        "is not what was sealed",
    ),
    (
        "a changed content, and its new hash in the record",
        "old=$(sha256sum < K7-0001/content/testimonio.md); sed -i 's/Nadie/Nunca/' K7-0001/content/testimonio.md
         new=$(sha256sum < K7-0001/content/testimonio.md); sed -i \"s/${old%% *}/${new%% *}/\" K7-0001/record.json",
        "check K7-0001",
        "the record is not the signed one",
    ),
    ("a file more", "echo more > K7-0001/content/more.txt", "check K7-0001", "more, fewer or other files"),
    (
        "the folder of another exhibit",
        "rm -r K7-0001; cp -r K7-0004 K7-0001",
        "check K7-0001",
        "the record is not the signed one",
    ),
    ("a changed file of a folder", "echo changed > K7-0004/content/none", "check K7-0004", "is not what was sealed"),
    (
        "a changed listing",
        "sed -i 's/none/some/' K7-0004/listing.json",
        "check K7-0004",
        "listing.json is not the signed",
    ),
    (
        "a file more in a folder",
        "echo more > K7-0004/content/more.txt",
        "check K7-0004",
        "not those that listing.json names",
    ),
    (
        "a row that gives another exhibit this record",
        "sed -i 's/^\\(.\\{32\\}\\).\\{16\\}/\\10000000000000009/' found/exhibits/K7-0001.row",
        "check K7-0001",
        "the record is that of another exhibit",
    ),
    (
        "the last letters of a card's ML-DSA-44 line",
        "sed -i '$s/....$/AAA=/' founder.card",
        "signatures founder.card",
        "the card's ML-DSA-44 signature does not hold",
    ),
    (
        "the last letters of a state's ML-DSA-44 line",
        "sed -i '$s/....$/AAA=/' \"$checkpoint\"",
        "signatures founder.card \"$checkpoint\"",
        "the ML-DSA-44 signature does not hold",
    ),
    (
        "a time in a state's ML-DSA-44 line",
        "sed -i '6s/^\\(.* .\\{15\\}\\)A/\\1B/' \"$checkpoint\" ",
        "signatures founder.card \"$checkpoint\"",
        "states a time",
    ),
    ("a receipt of another kind", "sed -i '1s/v1/v2/' receipt.txt", "receipt founder.card", "it is no receipt"),
    (
        "a receipt whose row has another number",
        "forge_receipt 'row = extra[\"row\"]; row[\"row\"] = row[\"row\"][:23] + bytes([9]) + row[\"row\"][24:]'",
        "receipt founder.card",
        "the row is not in the entry",
    ),
    (
        "a receipt whose entry says another time",
        "forge_receipt 'extra[\"entry\"] = extra[\"entry\"].replace(b\"2031-\", b\"2030-\")'",
        "receipt founder.card",
        "the entry is not in the signed log",
    ),
    ("the card of somebody else", "true", "signatures other.card \"$checkpoint\"", "0 signatures by this key"),
    (
        "a key replaced in a card",
        "key=$(sed -n 's/^cosign //p' other.card); sed -i \"s,^cosign .*,cosign $key,\" founder.card",
        "signatures founder.card",
        "0 signatures by this key",
    ),
    (
        "another name on a card",
        "sed -i 's/^name .*/name Grey Heron/' founder.card",
        "signatures founder.card",
        "Ed25519 signature does not hold",
    ),
    (
        "a stripped ML-DSA-44 line",
        "sed -i 6d \"$checkpoint\"",
        "signatures founder.card \"$checkpoint\"",
        "0 signatures by this key",
    ),
    (
        "another size",
        "sed -i '2s/.*/1/' \"$checkpoint\"",
        "signatures founder.card \"$checkpoint\"",
        "the Ed25519 signature does not hold",
    ),
    ("a receipt against the card of somebody else", "true", "receipt other.card", "0 signatures by this key"),
    (
        "a receipt that names another place",
        "sed -i 's/^index .*/index 1/' receipt.txt",
        "receipt founder.card",
        "is not in the signed log",
    ),
    ("a receipt whose last letters were changed", "sed -i '2s/....$/AAAA/' receipt.txt", "receipt founder.card", ""),
    (
        "openssl with the key of somebody else",
        "cp other.card founder.card",
        "openssl_checks",
        "Signature Verification Failure",
    ),
    ("Go with the key of somebody else", "cp other.card founder.card", "go_checks", "no verifiable signatures"),
    (
        "noble with the key of somebody else",
        "true",
        "node recovery/ml_dsa.mjs other.card \"$checkpoint\"",
        "no ML-DSA-44 signature of this card holds",
    ),
];

/// Everything that the cases work on, made once.
fn prepare(desk: &Desk) {
    // No pouch came to this desk.
    let page = commands();
    let (before, rest) = page.split_once("mkdir unpacked").expect("the page has this step");
    let page = format!("{before}{}", rest.split_once("ls unpacked\n").expect("and its end").1);
    let [to_list, to_openssl, to_go, to_noble] =
        ["(cd vault && sha256sum", "head -n 3", "name=$(head", "node recovery/ml_dsa"]
            .map(|mark| page.find(mark).expect("the page has this step"));
    let get_back = "for label in K7-0001 K7-0002 K7-0004; do
            mkdir $label
            while read -r hash blob; do $DECRYPT vault-keys.txt < \"vault/$blob\"
            done < found/exhibits/$label.sha256 | tar -x -C $label
        done
        card=$(grep -l -F \"$(sed -n 's/^log //p' founder.card)\" found/logs/*.card)
        echo ${card%.card}.checkpoint > checkpoint";
    desk.succeeds(&format!("{}\n{get_back}", &page[..to_list]));
    let tools = format!(
        "DECRYPT='node recovery/decrypt.mjs'
        recover() {{ python3 recovery/recover.py --decrypt \"$DECRYPT vault-keys.txt\" vault $1; }}
        check() {{ python3 recovery/check_exhibit.py $1 $(cat found/exhibits/$1.row); }}
        signatures() {{ python3 recovery/check_signatures.py \"$@\"; }}
        receipt() {{ python3 recovery/check_receipt.py receipt.txt \"$@\"; }}
        sealed_files() {{ sed 's,.* ,vault/,' found/exhibits/$1.sha256; }}
        swap() {{ mv $1 swapped; mv $2 $1; mv swapped $2; }}
        flip() {{ python3 -c 'import sys; f = open(sys.argv[1], \"r+b\"); f.seek(-1, 2); b = f.read(); f.seek(-1, 2)
f.write(bytes([b[0] ^ 1]))' \"$1\"; }}
        forge_receipt() {{ python3 -c 'import base64, msgpack, sys
lines = open(\"receipt.txt\").read().split(\"\\n\"); extra = msgpack.unpackb(base64.b64decode(lines[1][6:]))
exec(sys.argv[1])
lines[1] = \"extra \" + base64.b64encode(msgpack.packb(extra)).decode()
open(\"receipt.txt\", \"w\").write(\"\\n\".join(lines))' \"$1\"; }}
        without_key() {{ {} }}
        openssl_checks() {{ {} }}
        go_checks() {{ {} }}
        checkpoint=$(cat checkpoint)\n",
        page.lines().find(|line| line.contains("find blobs")).expect("the page checks without a key").to_owned() + ";",
        &page[to_openssl..to_go],
        &page[to_go..to_noble],
    );
    std::fs::write(desk.folder.join("tools.sh"), tools).expect("a file");
}

#[test]
fn each_check_of_the_page_refuses_what_was_tampered_with() {
    let _row = crate::soak::row(11);
    let Some(desk) = Desk::new(20 << 20) else { return };
    prepare(&desk);
    let run = |tampering: &str, check: &str| {
        let copy = "rm -rf ../copy; cp -r . ../copy; cd ../copy; . ./tools.sh";
        let script = format!("{copy}\n{tampering}\nset +e; ({check}) 2>&1; echo \"ended $?\"");
        desk.succeeds(&script)
    };
    let mut untouched = BTreeSet::new();
    for (what, tampering, check, words) in CASES {
        let said = run(tampering, check);
        assert!(said.contains(words) && !said.contains("ended 0"), "{what}: {words}\n{said}");
        // The same check on what nobody touched; where a check has other arguments, the page shows that it holds.
        if *tampering != "true" && untouched.insert(*check) {
            let said = run("true", check);
            assert!(said.contains("ended 0"), "{what}: the check refuses what nobody touched\n{said}");
        }
    }
}
