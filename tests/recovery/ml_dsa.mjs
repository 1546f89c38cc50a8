// Checks the ML-DSA-44 line of a log's state with npm `@noble/post-quantum`: node ml_dsa.mjs CARD CHECKPOINT
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { ml_dsa44 } from "@noble/post-quantum/ml-dsa.js";

const [card, checkpoint] = process.argv.slice(2).map((file) => readFileSync(file, "utf8"));
const publicKey = Buffer.from(/^ml-dsa-44 (.*)$/m.exec(card)[1], "base64");
const [origin, size, root] = checkpoint.split("\n");

// signed-note: four bytes name the key; the line of this key carries a time, which is 0, and the signature.
const keyId = createHash("sha256").update(`${origin}\n\x06`).update(publicKey).digest().subarray(0, 4);
const lines = checkpoint.split("\n").filter((line) => line.startsWith(`\u2014 ${origin} `));
const decoded = lines.map((line) => Buffer.from(line.split(" ")[2], "base64"));
const ours = decoded.find((line) => line.subarray(0, 4).equals(keyId));

function u64(number) {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64BE(BigInt(number));
    return bytes;
}

// tlog-cosignature, "ML-DSA-44 signed message".
const name = Buffer.concat([Buffer.from([origin.length]), Buffer.from(origin)]);
const message = Buffer.concat([
    Buffer.from("subtree/v1\n\0"), name, u64(0), name, u64(0), u64(size), Buffer.from(root, "base64"),
]);
const holds = ours?.subarray(4, 12).equals(u64(0)) && ml_dsa44.verify(ours.subarray(12), message, publicKey);
console.log(holds ? "GOOD: the ML-DSA-44 signature holds" : "FAILED: no ML-DSA-44 signature of this card holds");
process.exitCode = holds ? 0 : 1;
