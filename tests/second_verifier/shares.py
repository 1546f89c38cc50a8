"""Wrapped shares of a content key (§ 3.6): SSKR in minimal Bytewords."""
import zlib
from collections import namedtuple

from .hashes import sha256
from .keys import key_lines, labelled, scope_and_epoch
from .text import decimal, demand, unhex

# BCR-2020-012, in the order of the bytes.
WORDS = """
able acid also apex aqua arch atom aunt away axis back bald barn belt beta bias blue body brag brew bulb buzz calm cash
cats chef city claw code cola cook cost crux curl cusp cyan dark data days deli dice diet door down draw drop drum dull
duty each easy echo edge epic even exam exit eyes fact fair fern figs film fish fizz flap flew flux foxy free frog fuel
fund gala game gear gems gift girl glow good gray grim guru gush gyro half hang hard hawk heat help high hill holy hope
horn huts iced idea idle inch inky into iris iron item jade jazz join jolt jowl judo jugs jump junk jury keep keno kept
keys kick kiln king kite kiwi knob lamb lava lazy leaf legs liar limp lion list logo loud love luau luck lung main many
math maze memo menu meow mild mint miss monk nail navy need news next noon note numb obey oboe omit onyx open oval owls
paid part peck play plus poem pool pose puff puma purr quad quiz race ramp real redo rich road rock roof ruby ruin runs
rust safe saga scar sets silk skew slot soap solo song stub surf swan taco task taxi tent tied time tiny toil tomb toys
trip tuna twin ugly undo unit urge user vast very veto vial vibe view visa void vows wall wand warm wasp wave waxy webs
what when whiz wolf work yank yawn yell yoga yurt zaps zero zest zinc zone zoom
""".split()
BYTES = {word[0] + word[-1]: value for value, word in enumerate(WORDS)}

Share = namedtuple("Share", "scope epoch split index needed total hash")


def from_bytewords(text):
    """Minimal Bytewords, their CRC-32 checked and cut off."""
    pairs = [text[at:at + 2] for at in range(0, len(text), 2)]
    demand(all(pair in BYTES for pair in pairs), "no Bytewords")
    data = bytes(BYTES[pair] for pair in pairs)
    demand(zlib.crc32(data[:-4]).to_bytes(4, "big") == data[-4:], "a wrong checksum")
    return data[:-4]


def read_share(plaintext):
    scope, epoch, split, index, needed, total, ur = read_lines(key_lines(plaintext, "share", 8))
    demand(scope != "custody", "the custody key is never split")
    demand(2 <= needed <= total <= 16 and 1 <= index <= total, "numbers that no splitting has")
    demand(ur.startswith("ur:sskr/"), "no share")
    tagged = from_bytewords(ur[8:])
    demand(len(tagged) == 39 and tagged[:2] == b"\x58\x25", "a share of another length")
    share = tagged[2:]
    # BCR-2020-011: two bytes of identifier, then group threshold, group count, group index and member threshold, each
    # less one, in half a byte; then four zero bits and the member's index.
    demand(share[2] == 0 and share[3] == needed - 1 and share[4] == index - 1, "a share of another splitting")
    return Share(scope, epoch, split, index, needed, total, sha256(share))


def read_lines(lines):
    scope, epoch = scope_and_epoch(lines)
    split = unhex(labelled(lines[2], "split"), 16)
    return scope, epoch, split, *(decimal(labelled(line, label)) for line, label in
                                  zip(lines[3:6], ("index", "needed", "total"), strict=True)), lines[6]
