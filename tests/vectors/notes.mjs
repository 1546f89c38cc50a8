// Verifies one line of a note on standard input, from the specifications alone: the peer's side of notes.rs.
// Arguments: `checkpoint` or `card`, the key name, and the seed of the ML-DSA-44 key pair in hex; or `cosignature`, the
// key name, and the Ed25519 public key in hex, whose line OpenSSL verifies. Prints the time that the line states.
import { createHash, createPublicKey, verify } from "node:crypto";
import { readFileSync } from "node:fs";
import { ml_dsa44 } from "@noble/post-quantum/ml-dsa.js";

const [kind, name, seed] = process.argv.slice(process.argv[1] === "--" ? 2 : 1);
const given = Buffer.from(seed, "hex");
const publicKey = kind === "cosignature" ? given : ml_dsa44.keygen(given).publicKey;
const note = readFileSync(0).toString();
const split = note.lastIndexOf("\n\n");
const text = note.slice(0, split + 1);

const identifier = "amparo.v1/card-ml-dsa-44";
const types = { card: Buffer.concat([Buffer.from([0xff]), Buffer.from(identifier)]), cosignature: Buffer.from([0x04]) };
const type = types[kind] ?? Buffer.from([0x06]);
const keyId = createHash("sha256").update(name + "\n").update(type).update(publicKey).digest().subarray(0, 4);

const line = note.slice(split + 2).split("\n").find((line) => {
    const [dash, key, signature] = line.split(" ");
    return dash === "—" && key === name && Buffer.from(signature, "base64").subarray(0, 4).equals(keyId);
});
if (line === undefined) throw Error("no such line");
const signature = Buffer.from(line.split(" ")[2], "base64").subarray(4);

function u64(number) {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64BE(BigInt(number));
    return bytes;
}

function short(string) {
    return Buffer.concat([Buffer.from([Buffer.byteLength(string)]), Buffer.from(string)]);
}

function verifies(signature, message) {
    if (!ml_dsa44.verify(signature, message, publicKey)) throw Error("the signature does not hold");
}

if (kind === "cosignature") {
    const time = signature.readBigUInt64BE();
    const der = Buffer.concat([Buffer.from("302a300506032b6570032100", "hex"), publicKey]);
    const key = createPublicKey({ key: der, format: "der", type: "spki" });
    const message = Buffer.from(`cosignature/v1\ntime ${time}\n${text}`);
    if (!verify(null, message, key, signature.subarray(8))) throw Error("the signature does not hold");
    process.stdout.write(time.toString());
} else if (kind === "card") {
    verifies(signature, Buffer.concat([Buffer.from(identifier + "\0"), Buffer.from(text)]));
    process.stdout.write("0");
} else {
    const [origin, size, root] = text.split("\n");
    const time = signature.readBigUInt64BE();
    const message = Buffer.concat([
        Buffer.from("subtree/v1\n\0"), short(name), u64(time), short(origin), u64(0), u64(size),
        Buffer.from(root, "base64"),
    ]);
    verifies(signature.subarray(8), message);
    process.stdout.write(time.toString());
}
