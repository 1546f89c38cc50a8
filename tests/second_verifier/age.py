"""Age files (§ 2.5; C2SP age.md): exactly one stanza to a hybrid key, or one stanza of a passphrase."""
import base64
import hashlib
import hmac
import re
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from . import bech32
from .text import Malformed, decode_utf8, demand

HEADER_BYTES, HEADER_LINES = 524_288, 2_048
CHUNK, TAG = 65_536, 16
WORD = re.compile("[!-~]+")
HYBRID = "mlkem768x25519"
SUITE = hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.CHACHA20_POLY1305)
SECRET_PREFIX, PUBLIC_PREFIX = "age-secret-key-pq-", "age1pq"


class NotForThisKey(Exception):
    """The stanza is to somebody else. Whether the file is sound nobody here can tell."""


class HybridKey:
    """An age identity of type `mlkem768x25519`, from its 32 bytes."""

    def __init__(self, seed):
        expanded = hashlib.shake_256(seed).digest(96)
        kem, curve = MLKEM768PrivateKey.from_seed_bytes(expanded[:64]), X25519PrivateKey.from_private_bytes(expanded[64:])
        self.public = kem.public_key().public_bytes_raw() + curve.public_key().public_bytes_raw()
        self.recipient = bech32.encode(PUBLIC_PREFIX, self.public)
        self.private = hpke.MLKEM768X25519PrivateKey(kem, curve)

    @classmethod
    @lru_cache(maxsize=4096)
    def parse(cls, text):
        demand(text == text.upper(), "an age identity is written in capitals")
        seed = bech32.decode(SECRET_PREFIX, text.lower())
        demand(len(seed) == 32, "an age identity of another length")
        return cls(seed)

    def file_key(self, stanza):
        """The file key that the stanza wraps to this key."""
        try:
            key = SUITE.decrypt(stanza.encapsulated + stanza.body, self.private, b"age-encryption.org/mlkem768x25519")
        except (InvalidTag, ValueError):
            raise NotForThisKey from None
        return key


@lru_cache(maxsize=4096)
def recipient_bytes(text):
    """The raw key of a sound recipient (§ 4.2)."""
    raw = bech32.decode(PUBLIC_PREFIX, text)
    demand(len(raw) == 1216, "a recipient of another length")
    coefficients = int.from_bytes(raw[:1152], "little")
    demand(all(coefficients >> 12 * each & 0xFFF < 3329 for each in range(768)), "a coefficient that is not reduced")
    try:
        MLKEM768PublicKey.from_public_bytes(raw[:1184])
        # Whoever agrees on a key with a point of low order gets zeros, which the library refuses.
        X25519PrivateKey.from_private_bytes(bytes(31) + b"\1").exchange(X25519PublicKey.from_public_bytes(raw[1184:]))
    except ValueError:
        raise Malformed("a recipient that is no sound key") from None
    return raw


def is_recipient(text):
    try:
        return bool(recipient_bytes(text))
    except Malformed:
        return False


class Stanza:
    def __init__(self, kind, arguments, body):
        self.kind, self.arguments, self.body = kind, arguments, body

    @property
    def encapsulated(self):
        """The one argument of a hybrid stanza: an ML-KEM ciphertext and a point."""
        demand(len(self.arguments) == 1, "a hybrid stanza has one argument")
        raw = unpadded(self.arguments[0])
        demand(len(raw) == 1088 + 32 and len(self.body) == 32, "a hybrid stanza of another length")
        return raw


def unpadded(text):
    """Base64 without padding, in its one form."""
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError:
        raise Malformed("it is no base64") from None
    demand(base64.b64encode(data).decode().rstrip("=") == text, "base64 in another form")
    return data


class AgeFile:
    """A parsed header and the bytes behind it."""

    def __init__(self, data):
        end = data.find(b"\n---", 0, HEADER_BYTES)
        close = data.find(b"\n", end + 1, HEADER_BYTES)
        demand(end >= 0 and close >= 0, "no end of a header")
        header, self.payload = data[:close], data[close + 1:]
        lines = decode_utf8(header).split("\n")
        demand(len(lines) <= HEADER_LINES and lines[0] == "age-encryption.org/v1", "no age file of version 1")
        demand(lines[-1].startswith("--- "), "no last line of a header")
        self.mac = unpadded(lines[-1][4:])
        demand(len(self.mac) == 32, "a MAC of another length")
        self.authenticated = header[:end + 4]
        self.stanzas = list(read_stanzas(lines[1:-1]))
        demand(self.stanzas, "no stanza")

    def only(self):
        """The one hybrid stanza, grease aside."""
        stanzas = [each for each in self.stanzas if not each.kind.endswith("-grease")]
        demand(len(stanzas) == 1 and stanzas[0].kind == HYBRID, "not exactly one stanza")
        return stanzas[0]

    def open(self, keys):
        """The plaintext, by the first of these hybrid keys to which the one stanza is."""
        stanza = self.only()
        for key in keys:
            try:
                file_key = key.file_key(stanza)
            except NotForThisKey:
                continue
            return self.open_with(file_key)
        raise NotForThisKey

    def open_with(self, file_key):
        demand(len(file_key) == 16, "a file key of another length")
        expected = hmac.digest(hkdf(file_key, b"", b"header"), self.authenticated, "sha256")
        demand(hmac.compare_digest(expected, self.mac), "the header is not the one that was written")
        return b"".join(read_chunks(file_key, self.payload))

    def open_with_passphrase(self, passphrase):
        """The plaintext of a file with one scrypt stanza (§ 3.4)."""
        demand(len(self.stanzas) == 1 and self.stanzas[0].kind == "scrypt", "not one passphrase stanza")
        salt, work = self.stanzas[0].arguments
        demand(work.isdigit() and int(work) <= 18, "too much work to ask")
        salt = b"age-encryption.org/v1/scrypt" + unpadded(salt)
        wrap = hashlib.scrypt(passphrase, salt=salt, n=1 << int(work), r=8, p=1, maxmem=1 << 30, dklen=32)
        try:
            return self.open_with(ChaCha20Poly1305(wrap).decrypt(bytes(12), self.stanzas[0].body, None))
        except InvalidTag:
            raise NotForThisKey from None


def read_stanzas(lines):
    lines = iter(lines)
    for line in lines:
        kind, *arguments = line.removeprefix("-> ").split(" ")
        demand(line.startswith("-> "), "no stanza where one should be")
        demand(all(WORD.fullmatch(each) for each in (kind, *arguments)), "a stanza's words")
        body = []
        for wrapped in lines:
            demand(len(wrapped) <= 64, "a line that is too long")
            body.append(wrapped)
            if len(wrapped) < 64:
                break
        demand(body and len(body[-1]) < 64, "a stanza without an end")
        yield Stanza(kind, arguments, unpadded("".join(body)))


def read_chunks(file_key, payload):
    """Each chunk once all of them are authentic: nothing is given out before the last one is."""
    nonce, sealed = payload[:16], payload[16:]
    demand(len(nonce) == 16, "no payload")
    cipher = ChaCha20Poly1305(hkdf(file_key, nonce, b"payload"))
    count = max(1, -(-len(sealed) // (CHUNK + TAG)))
    chunks = []
    for number in range(count):
        last = number == count - 1
        chunk = sealed[number * (CHUNK + TAG):(number + 1) * (CHUNK + TAG)]
        try:
            chunks.append(cipher.decrypt(number.to_bytes(11, "big") + bytes([last]), chunk, None))
        except (InvalidTag, ValueError):
            raise Malformed("a chunk that is not the one that was written") from None
    demand(count == 1 or chunks[-1], "an empty last chunk")
    return chunks


def hkdf(key, salt, info):
    """HKDF-SHA256 with 32 bytes of output (RFC 5869)."""
    pseudorandom = hmac.digest(salt or bytes(32), key, "sha256")
    return hmac.digest(pseudorandom, info + b"\1", "sha256")
