"""A vault's folder as names and files: on a disk, or as data in a test (§ 10.2).

A folder is a dictionary from names, as bytes, to folders, files, or None for every other kind of thing.
"""
import os
import stat

from .hashes import sha256
from .text import unescape


class Unreadable(Exception):
    """The medium fails."""


class DiskFile:
    def __init__(self, path, size):
        self.path, self.size = path, size

    def read(self):
        try:
            with open(os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
                return file.read()
        except OSError as error:
            raise Unreadable(str(error)) from None


class MemoryFile:
    def __init__(self, data):
        self.data, self.size = data, len(data)

    def read(self):
        return self.data


def read_tree(path):
    """What lies below a folder of the disk; no link is followed."""
    folder = {}
    for each in os.scandir(os.fsencode(path)):
        found = each.stat(follow_symlinks=False)
        if stat.S_ISDIR(found.st_mode):
            folder[each.name] = read_tree(each.path)
        else:
            folder[each.name] = DiskFile(each.path, found.st_size) if stat.S_ISREG(found.st_mode) else None
    return folder


class Checked:
    """Reads named files once: a name is a promise that the bytes keep or break (§ 8.2)."""

    def __init__(self):
        self.seen = {}

    def state(self, named, limit):
        """`sound`, `damaged` (another hash, or too long) or `unreadable`."""
        if named.path not in self.seen:
            self.seen[named.path] = self._look(named, limit)
        return self.seen[named.path]

    @staticmethod
    def _look(named, limit):
        if limit is not None and named.file.size > limit:
            return "damaged"
        try:
            return "sound" if sha256(named.file.read()) == named.hash else "damaged"
        except Unreadable:
            return "unreadable"


class Changes:
    """A folder in memory, changed as a case says."""

    def __init__(self, root=None):
        self.root = root if root is not None else {}

    def _parent(self, written, make=False):
        *folders, name = unescape(written).split(b"/")
        at = self.root
        for each in folders:
            at = at.setdefault(each, {}) if make else at[each]
        return at, name

    def put(self, path, data):
        parent, name = self._parent(path, make=True)
        parent[name] = MemoryFile(data)

    def thing(self, path, node):
        parent, name = self._parent(path, make=True)
        parent[name] = node

    def get(self, path):
        parent, name = self._parent(path)
        return parent[name].read()

    def remove(self, path):
        parent, name = self._parent(path)
        return parent.pop(name)
