"""Ed25519, verified strictly, and ML-DSA-44 (§ 3.1)."""
from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

ORDER = (1 << 252) + 27742317777372353535851937790883648493
PRIME = (1 << 255) - 19
# The y coordinates of the eight points of small order; of some, the prime can be added and 32 bytes still hold them.
SMALL_Y = {0, 1, PRIME - 1, PRIME, PRIME + 1,
           int.from_bytes(bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"), "little"),
           int.from_bytes(bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little")}


def has_small_order(point):
    return int.from_bytes(point, "little") & ((1 << 255) - 1) in SMALL_Y


@lru_cache(maxsize=4096)
def ed25519_holds(public, message, signature):
    """OpenSSL compares the bytes of R without a cofactor; what else is strict is asked here."""
    if len(signature) != 64 or has_small_order(public) or has_small_order(signature[:32]):
        return False
    if int.from_bytes(signature[32:], "little") >= ORDER:
        return False
    return _holds(Ed25519PublicKey, public, message, signature)


@lru_cache(maxsize=4096)
def ml_dsa_44_holds(public, message, signature):
    return len(signature) == 2420 and _holds(MLDSA44PublicKey, public, message, signature)


def _holds(kind, public, message, signature):
    try:
        kind.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True
