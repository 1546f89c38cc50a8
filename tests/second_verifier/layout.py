"""The names of a vault's folder (§ 5): what lies where, and what does not belong there."""
import re
from collections import defaultdict
from dataclasses import dataclass, field

from .text import escape

HEX = b"[0-9a-f]"
KEY, BLOB_FOLDER, LOG = re.compile(HEX + b"{64}"), re.compile(HEX + b"{2}"), re.compile(HEX + b"{32}")
WRAPPED = re.compile(b"(" + HEX + b"{64})[.]age")
ENTRY = re.compile(b"([0-9]{10})-(" + HEX + b"{64})-(" + HEX + b"{64})")
CHECKPOINT = re.compile(b"([0-9]{10})-(" + HEX + b"{64})")
STRANGERS_TOLD = 1000


@dataclass
class Named:
    """A file under a name of the format, and what its name says of it."""

    path: str
    file: object
    hash: bytes
    leaf: bytes = b""
    number: int = 0


@dataclass
class LogFolder:
    entries: dict = field(default_factory=lambda: defaultdict(list))
    checkpoints: list = field(default_factory=list)
    cosignatures: list = field(default_factory=list)

    def files(self):
        return [*(file for files in self.entries.values() for file in files), *self.checkpoints, *self.cosignatures]


class Layout:
    """Everything in a folder that has a name of the format, and the paths of all that has none."""

    def __init__(self, folder):
        self.vault_file, self.keys, self.blobs, self.logs, self.strangers = None, {}, {}, {}, []
        for name, node in self._sorted(folder):
            if name == b"VAULT" and not is_folder(node) and node is not None:
                self.vault_file = Named("VAULT", node, b"")
            elif name in (b"keys", b"blobs", b"logs") and is_folder(node):
                getattr(self, f"_{name.decode()}")(node)
            else:
                self.strangers.append(escape(name))

    @staticmethod
    def _sorted(folder):
        return sorted(folder.items())

    def _each(self, folder, path, known):
        """Goes through one folder; `known(name, node)` takes what belongs there and says so."""
        strangers = [name for name, node in self._sorted(folder) if not known(name, node)]
        self.strangers += [f"{path}/{escape(name)}" for name in strangers[:STRANGERS_TOLD]]
        if len(strangers) > STRANGERS_TOLD:
            self.strangers.append(path)

    def _folders(self, folder, path, pattern, enter):
        def known(name, node):
            if not pattern.fullmatch(name) or not is_folder(node):
                return False
            enter(node, f"{path}/{name.decode()}", name.decode())
            return True
        self._each(folder, path, known)

    def _files(self, folder, path, pattern, take):
        def known(name, node):
            match = pattern.fullmatch(name)
            return bool(match and is_file(node) and take(match, node, f"{path}/{name.decode()}"))
        self._each(folder, path, known)

    def _keys(self, folder):
        def enter(node, path, key):
            def take(match, file, at):
                named = Named(at, file, unhex(match[1]), leaf=bytes.fromhex(key))
                self.keys[named.leaf, named.hash] = named
                return True
            self._files(node, path, WRAPPED, take)
        self._folders(folder, "keys", KEY, enter)

    def _blobs(self, folder):
        def enter(node, path, first):
            def take(match, file, at):
                named = Named(at, file, unhex(match[0]))
                if match[0][:2] == first.encode():
                    self.blobs[named.hash] = named
                return match[0][:2] == first.encode()
            self._files(node, path, KEY, take)
        self._folders(folder, "blobs", BLOB_FOLDER, enter)

    def _logs(self, folder):
        def enter(node, path, log):
            found = LogFolder()
            parts = {b"entries": self._entries, b"checkpoints": self._checkpoints, b"cosign": self._cosign}

            def known(name, part):
                if name not in parts or not is_folder(part):
                    return False
                parts[name](part, f"{path}/{name.decode()}", found)
                return True
            self._each(node, path, known)
            if found.files():
                self.logs[bytes.fromhex(log)] = found
        self._folders(folder, "logs", LOG, enter)

    def _entries(self, folder, path, found):
        def enter(node, part, group):
            def take(match, file, at):
                seq = int(match[1])
                if seq // 256 != int(group):
                    return False
                found.entries[seq].append(Named(at, file, unhex(match[3]), unhex(match[2]), seq))
                return True
            self._files(node, part, ENTRY, take)
        self._folders(folder, path, re.compile(b"[0-9]{8}"), enter)

    def _checkpoints(self, folder, path, found):
        def take(match, file, at):
            found.checkpoints.append(Named(at, file, unhex(match[2]), number=int(match[1])))
            return True
        self._files(folder, path, CHECKPOINT, take)

    def _cosign(self, folder, path, found):
        def take(match, file, at):
            found.cosignatures.append(Named(at, file, unhex(match[0])))
            return True
        self._files(folder, path, KEY, take)


def unhex(digits):
    return bytes.fromhex(digits.decode())


def is_folder(node):
    return isinstance(node, dict)


def is_file(node):
    return node is not None and not is_folder(node)
