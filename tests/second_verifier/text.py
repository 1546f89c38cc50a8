"""Texts, numbers in texts, and how a finding writes a path (§ 2.1, 6.2, 8.1)."""
import base64
import binascii
import re
import unicodedata

# § 6.8: characters that nobody sees and that change what is seen.
INVISIBLE = {0x061C, *range(0x200B, 0x2010), *range(0x2028, 0x202F), *range(0x2060, 0x206A), 0xFEFF, *range(0xFFF9, 0xFFFC)}


class Malformed(Exception):
    """Bytes that are not what the format says. Everything that reads bytes from outside raises this and nothing else."""


def demand(holds, what):
    if not holds:
        raise Malformed(what)


def decode_utf8(data):
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise Malformed("it is no UTF-8") from None


def unbase64(text, length=None):
    """Base64 with padding, in its one form."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Malformed("it is no base64") from None
    demand(base64.b64encode(data).decode() == text, "base64 in another form")
    demand(length is None or len(data) == length, "base64 of another length")
    return data


def unhex(text, length):
    demand(re.fullmatch("[0-9a-f]*", text) and len(text) == 2 * length, "no hex of the right length")
    return bytes.fromhex(text)


def decimal(text):
    """A decimal number without sign and leading zero."""
    demand(re.fullmatch("0|[1-9][0-9]{0,19}", text), "no decimal number")
    return int(text)


def is_control(character):
    return unicodedata.category(character) == "Cc"


def is_words(text, limit=4096):
    """Free text: no control character but line feed and tab."""
    return len(text.encode()) <= limit and not any(is_control(each) and each not in "\n\t" for each in text)


def escape(path):
    """A path as findings write it."""
    written = []
    for each in path.decode("utf-8", "surrogateescape"):
        code = ord(each)
        if 0xDC80 <= code <= 0xDCFF:
            written.append(f"\\x{code - 0xDC00:02x}")
        elif is_control(each) or code in INVISIBLE:
            written.append(f"\\u{{{code:x}}}")
        else:
            written.append("\\\\" if each == "\\" else each)
    return "".join(written)


def unescape(written):
    """The path that a finding writes so."""
    def character(match):
        if match[0] == "\\\\":
            return b"\\"
        return bytes([int(match[2], 16)]) if match[2] else chr(int(match[1], 16)).encode()

    pattern = r"\\\\|\\u\{([0-9a-f]+)\}|\\x([0-9a-f]{2})"
    pieces, end = [], 0
    for match in re.finditer(pattern, written):
        pieces += [written[end:match.start()].encode(), character(match)]
        end = match.end()
    return b"".join([*pieces, written[end:].encode()])


TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)([+-])(\d\d):(\d\d)", re.ASCII)
# 9999-12-30T22:00:00Z, in seconds since 1970.
LATEST = 253402207200


def moment(text):
    """The moment of a claimed time, in seconds since 1970 (§ 6.2)."""
    match = TIME.fullmatch(text)
    demand(match, "no time of this form")
    year, month, day, hour, minute, second = (int(match[each]) for each in range(1, 7))
    offset = int(match[8]) * 60 + int(match[9])
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    days_of = [31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    demand(1 <= month <= 12 and 1 <= day <= days_of[month - 1], "no day of the calendar")
    demand(hour < 24 and minute < 60 and second < 60 and int(match[8]) < 24 and int(match[9]) < 60, "no time of a day")
    # Days since 1970-01-01 in the proleptic Gregorian calendar; Python's own dates begin with the year 1.
    before = year - 1
    days = before * 365 + before // 4 - before // 100 + before // 400 + sum(days_of[:month - 1]) + day - 719163
    seconds = ((days * 24 + hour) * 60 + minute) * 60 + second - (offset * 60 if match[7] == "+" else -offset * 60)
    demand(seconds <= LATEST, "a time later than the format can say")
    return seconds
