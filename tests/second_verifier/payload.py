"""An exhibit's bytes against its record (§ 6.8, 8.5)."""
import hashlib
import json
from collections import namedtuple

from . import tar
from .age import AgeFile, NotForThisKey
from .names import are_in_order, is_safe
from .record import (PARAGRAPHS, RECORD_BYTES, TEXT_BYTES, paragraph_commitments, print_json, print_record, split_paragraphs)
from .text import Malformed, decimal, decode_utf8, demand

SEGMENT, LISTING_BYTES, MEMBERS, FILES = 16 << 20, 64 << 20, 999_999, 100_000

Member = namedtuple("Member", "name size sha256")


class DamagedSegment(Malformed):
    """What is wrong is one blob, not the exhibit in it."""

    def __init__(self, blob, fact):
        super().__init__(fact)
        self.blob = blob


class Stream:
    """The payload, segment by segment; nothing of a segment is given out before all of it is authentic."""

    def __init__(self, blobs, read, key):
        self.left, self.open, self.ready, self.offset = list(blobs), lambda blob: open_segment(read, blob, key), b"", 0

    def take(self, length):
        pieces, wanted = [], length
        while wanted:
            if not self.ready:
                demand(self.left, "an end too early")
                self._next()
            piece, self.ready = self.ready[:wanted], self.ready[wanted:]
            pieces.append(piece)
            wanted -= len(piece)
        self.offset += length
        return b"".join(pieces)

    def _next(self):
        blob, *self.left = self.left
        self.ready = self.open(blob)
        if len(self.ready) != SEGMENT and (self.left or not 0 < len(self.ready) < SEGMENT):
            raise Malformed("a segment of another length")

    def end(self):
        demand(not self.ready and not self.left, "an end too late")


def open_segment(read, blob, key):
    try:
        return AgeFile(read(blob)).open([key])
    except NotForThisKey:
        raise DamagedSegment(blob, "the key of its section does not open it") from None
    except Malformed as error:
        raise DamagedSegment(blob, str(error)) from None


def check_payload(stream, entry):
    """Raises what the first thing is that does not hold. `entry` is the manifest's record and commitments."""
    record, fields = entry["record"], entry["record"]["fields"]
    kinds = [path for path in ("content/name", "content/parts", "content/listing_sha256") if path in fields]
    demand(len(kinds) <= 1, "a record of more than one kind of content")
    kind = kinds[0] if kinds else None
    members, text, whole = [], [] if "content/paragraphs" in fields else None, hashlib.sha256()
    listing = None
    while True:
        name, size, read = tar.read_header(stream, len(members))
        if name.startswith(b"content/"):
            demand(listing is None and len(members) < MEMBERS, "a member out of order")
            demand(is_safe(name[8:]), "an unsafe name")
            members.append(read_content(stream, name, size, whole, text))
        elif name == b"listing.json":
            demand(listing is None and kind == "content/listing_sha256" and size <= LISTING_BYTES, "a listing out of place")
            listing = take_padded(stream, size)
        else:
            demand(name == b"record.json" and size <= RECORD_BYTES, "a member that the format does not have")
            demand(take_padded(stream, size) == print_record(record), "another record than the manifest's")
            break
    check_end(stream)
    demand(are_in_order([member.name[8:] for member in members]), "members out of order")
    check_members(kind, fields, members, listing)
    check_sizes(kind, fields, members, whole)
    check_paragraphs(kind, entry, text)


def take_padded(stream, size):
    data = stream.take(size)
    demand(not any(stream.take(tar.padding(size))), "padding that is not zeros")
    return data


def read_content(stream, name, size, whole, text):
    hashed, left = hashlib.sha256(), size
    if text is not None and sum(map(len, text)) + size <= TEXT_BYTES:
        text.append(b"")
    while left:
        piece = stream.take(min(left, 1 << 20))
        hashed.update(piece)
        whole.update(piece)
        left -= len(piece)
        if text:
            text[-1] += piece
    demand(not any(stream.take(tar.padding(size))), "padding that is not zeros")
    return Member(name, size, hashed.digest())


def check_end(stream):
    expected, size = tar.pad_header(stream.offset)
    _, _, read = tar.read_header(stream, 0)
    demand(read == expected, "another header of .pad")
    while size:
        piece = stream.take(min(size, 1 << 20))
        demand(not any(piece), "padding that is not zeros")
        size -= len(piece)
    demand(not any(stream.take(tar.TAIL)), "an end that is not zeros")
    stream.end()


def check_members(kind, fields, members, listing):
    names = [member.name for member in members]
    if kind == "content/name":
        demand(names == [b"content/" + fields[kind].encode()], "not exactly the one member of that name")
    elif kind == "content/parts":
        count = decimal(fields[kind])
        demand(count == len(members) >= 1, "another number of parts")
        demand(names == [f"content/part-{number:06}".encode() for number in range(1, count + 1)], "other names of parts")
        sizes = [member.size for member in members]
        demand(all(size == SEGMENT for size in sizes[:-1]) and (1 if count > 1 else 0) <= sizes[-1] <= SEGMENT, "sizes of parts")
    elif kind == "content/listing_sha256":
        demand(listing is not None and hashlib.sha256(listing).hexdigest() == fields[kind], "no listing of that hash")
        files = read_listing(listing)
        demand(files == [(m.name, m.size, m.sha256.hex()) for m in members], "other members than the listing's")
        demand(fields.get("content/files") == str(len(files)), "another number of files")
    else:
        demand(not members, "content of which the record says nothing")


LISTED = (["member", "name", "bytes", "sha256"], ["member", "name_hex", "bytes", "sha256"])


def read_listing(data):
    """(member, bytes, SHA-256) of each file."""
    try:
        value = json.loads(decode_utf8(data))
    except (ValueError, RecursionError):
        raise Malformed("no JSON") from None
    demand(isinstance(value, dict) and list(value) == ["format", "files"] and value["format"] == "amparo.v1/listing", "no listing")
    demand(isinstance(value["files"], list) and len(value["files"]) <= FILES, "no files")
    demand(print_json(value) == data, "JSON in another form")
    return [read_listed(file) for file in value["files"]]


def read_listed(file):
    demand(isinstance(file, dict) and [key for key in file if key != "modified"] in LISTED, "no file of a listing")
    demand("modified" not in file or list(file)[-1] == "modified", "no file of a listing")
    demand(all(isinstance(file[key], str) for key in file if key != "bytes"), "no file of a listing")
    demand(type(file["bytes"]) is int and file["bytes"] >= 0, "no size")
    return file["member"].encode(), file["bytes"], file["sha256"]


def check_sizes(kind, fields, members, whole):
    if kind:
        demand(fields.get("original/bytes") == str(sum(member.size for member in members)), "another length")
    if kind in ("content/name", "content/parts"):
        demand(fields.get("original/sha256") == whole.hexdigest(), "another hash")


def check_paragraphs(kind, entry, text):
    fields = entry["record"]["fields"]
    if "content/paragraphs" not in fields:
        demand(not entry["text"], "paragraphs of which the record says nothing")
        return
    demand(fields.get("original/media_type") in ("text/plain", "text/markdown"), "no text")
    demand(kind in ("content/name", "content/parts"), "no one text")
    content = b"".join(text)
    demand(str(len(content)) == fields["original/bytes"], "a text that is too long")
    decode_utf8(content)
    paragraphs = split_paragraphs(content)
    demand(1 <= len(paragraphs) <= PARAGRAPHS, "too many paragraphs, or none")
    demand(fields["content/paragraphs"] == str(len(paragraphs)), "another number of paragraphs")
    demand(entry["text"] == paragraph_commitments(entry["record"]["secret"], paragraphs), "other paragraphs")
