// `age -d -i KEYFILE` for machines whose age is older than 1.3: through npm `age-encryption`, the library of age's
// own author. Standard input is an age file, standard output its plaintext.
import { readFileSync, writeSync } from "node:fs";
import { Decrypter } from "age-encryption";

const decrypter = new Decrypter();
for (const line of readFileSync(process.argv[2], "utf8").split("\n")) {
    if (line !== "" && !line.startsWith("#")) decrypter.addIdentity(line);
}
try {
    const plaintext = await decrypter.decrypt(readFileSync(0));
    for (let at = 0; at < plaintext.length;) at += writeSync(1, plaintext, at);
} catch (error) {
    console.error(error.message);
    process.exitCode = 1;
}
