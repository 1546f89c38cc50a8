"""Identities and wrapped keys (§ 3.1 to 3.5)."""
import re

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from .age import AgeFile, HybridKey, hkdf
from .hashes import tagged
from .text import decode_utf8, demand, unhex

WRAPPED_BYTES = 512
SECTION = re.compile("[a-z][a-z0-9]{0,15}")


class Identity:
    """A person: all four keys of a seed."""

    def __init__(self, seed):
        self.seed = seed
        self.age = HybridKey(self._derive(b"age"))
        log, cosign = (Ed25519PrivateKey.from_private_bytes(self._derive(use)) for use in (b"log", b"cosign"))
        ml_dsa = MLDSA44PrivateKey.from_seed_bytes(self._derive(b"ml-dsa-44"))
        public = [key.public_key().public_bytes_raw() for key in (log, cosign, ml_dsa)]
        self.member = tagged("amparo.v1/member", self.age.public, *public)

    def _derive(self, use):
        return hkdf(self.seed, b"", b"amparo.v1/identity/" + use)

    @classmethod
    def read(cls, data, passphrase=None):
        """An identity file, in clear or under its passphrase (§ 3.4)."""
        if data.startswith(b"age-encryption.org/v1\n"):
            demand(passphrase is not None, "the identity file is under a passphrase")
            data = AgeFile(data).open_with_passphrase(passphrase)
        demand(len(data) <= 1024, "an identity file that is too long")
        lines = decode_utf8(data).split("\n")
        demand(len(lines) == 6 and lines[0] == "# amparo.v1/identity" and lines[5] == "", "no identity file")
        demand(lines[3].startswith("# seed "), "no seed")
        identity = cls(unhex(lines[3][7:], 32))
        demand(lines[2] == f"# member {identity.member.hex()}", "a member id that is not the seed's")
        demand(HybridKey.parse(lines[4]).recipient == identity.age.recipient, "an age key that is not the seed's")
        return identity


def key_id(log, scope, epoch, recipient):
    """The id of a vault key that an entry of this log brings (§ 3.3)."""
    return tagged("amparo.v1/key", log, scope.encode(), epoch.to_bytes(4, "big"), recipient.encode())


class VaultKey:
    """A custody or content key; all that its id is made of stands in the wrapped key's text."""

    def __init__(self, log, scope, epoch, key):
        self.scope, self.key = scope, key
        self.id = key_id(log, scope, epoch, key.recipient)


def is_scope(text):
    return SECTION.fullmatch(text) is not None


def key_lines(plaintext, kind, count):
    """The lines of a file under `keys/`, padded with line feeds."""
    demand(len(plaintext) == WRAPPED_BYTES, "a wrapped key has 512 bytes")
    lines = decode_utf8(plaintext).rstrip("\n").split("\n")
    demand(len(lines) == count and lines[0] == f"# amparo.v1/{kind}", "another kind of key file")
    return lines[1:]


def labelled(line, label):
    demand(line.startswith(f"# {label} "), f"no {label}")
    return line[len(label) + 3:]


def scope_and_epoch(lines):
    scope, epoch = labelled(lines[0], "scope"), labelled(lines[1], "epoch")
    demand(is_scope(scope), "no scope")
    demand(re.fullmatch("0|[1-9][0-9]{0,9}", epoch) and int(epoch) < 1 << 32, "no epoch")
    return scope, int(epoch)


def read_wrapped(plaintext):
    """A wrapped key (§ 3.5)."""
    lines = key_lines(plaintext, "key", 5)
    return VaultKey(unhex(labelled(lines[0], "log"), 16), *scope_and_epoch(lines[1:]), HybridKey.parse(lines[3]))
