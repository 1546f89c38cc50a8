// The peer's side of age.rs: `dump FOLDER` writes the vectors of cctv-age, inflated; `decrypt IDENTITY`,
// `encrypt RECIPIENT` and `passphrase WORDS` turn standard input into standard output through age-encryption.
import { readFileSync, writeFileSync } from "node:fs";
import { inflateSync } from "node:zlib";

const [verb, argument] = process.argv.slice(process.argv[1] === "--" ? 2 : 1);

async function dump(folder) {
    const vectors = await import("cctv-age");
    for (const [name, bytes] of Object.entries(vectors.default ?? vectors)) {
        const vector = Buffer.from(bytes);
        const end = vector.indexOf("\n\n") + 2;
        const header = vector.subarray(0, end).toString();
        const body = vector.subarray(end);
        const whole = header.includes("compressed: zlib\n") ? inflateSync(body) : body;
        writeFileSync(`${folder}/${name}`, Buffer.concat([Buffer.from(header), whole]));
    }
}

async function through() {
    const { Decrypter, Encrypter, identityToRecipient } = await import("age-encryption");
    const input = readFileSync(0);
    const decrypter = new Decrypter();
    const encrypter = new Encrypter();
    switch (verb) {
        case "decrypt":
            decrypter.addIdentity(argument);
            return decrypter.decrypt(input);
        case "passphrase":
            decrypter.addPassphrase(argument);
            return decrypter.decrypt(input);
        case "encrypt":
            encrypter.addRecipient(argument);
            return encrypter.encrypt(input);
        case "recipient":
            return identityToRecipient(argument);
    }
}

if (verb === "dump") await dump(argument);
else process.stdout.write(await through());
