"""Names below `content/` that are safe on every system, and their order (§ 6.8)."""
import re

from .text import INVISIBLE, is_control

DEVICES = {"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"}
NUMBERED = re.compile("(COM|LPT)[0-9\u00b9\u00b2\u00b3]")


def is_safe(path):
    try:
        text = path.decode("utf-8")
    except UnicodeDecodeError:
        return False
    components = text.split("/")
    return len(path) <= 1024 and len(components) <= 32 and all(is_safe_component(each) for each in components)


def is_safe_component(name):
    if not 1 <= len(name.encode()) <= 200 or name[0] in " -" or name[-1] in " .":
        return False
    if any(is_control(each) or each in '\\:*?"<>|' or ord(each) in INVISIBLE for each in name):
        return False
    stem = "".join(each.upper() if each.isascii() else each for each in name.split(".")[0].rstrip(" "))
    return stem not in DEVICES and not NUMBERED.fullmatch(stem)


def are_in_order(paths):
    """Ascending by component, none twice, none a folder of another."""
    split = [path.split(b"/") for path in paths]
    return all(a < b and b[:len(a)] != a for a, b in zip(split, split[1:]))
