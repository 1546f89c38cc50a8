"""The command line.

    python -m second_verifier VAULT [--identity FILE] [--owner CARD] [--receipt FILE]…    one vault; prints JSON
    python -m second_verifier --receipt FILE --owner CARD                                  papers without a vault
    python -m second_verifier --cases TESTS                                                cases, § 10.2

With `--cases` it reads names of files from its standard input, one a line, and for each prints one line of JSON: the
name, and where its verdict differs from the one in the file. TESTS is the folder from which bases are named.
"""
import argparse
import json
import sys
import traceback
from pathlib import Path

from .cases import Cases
from .folder import read_tree
from .given import check_alone
from .keys import Identity
from .papers import Card, Checkpoint
from .text import Malformed
from .vault import Asked, Refused, verify


def arguments():
    parser = argparse.ArgumentParser(prog="second_verifier", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("vault", nargs="?", metavar="VAULT")
    parser.add_argument("--identity", type=Path, metavar="FILE")
    parser.add_argument("--passphrase-file", type=Path, metavar="FILE")
    parser.add_argument("--vault-id", metavar="HEX")
    parser.add_argument("--owner", type=Path, action="append", default=[], metavar="CARD")
    parser.add_argument("--remembers", type=Path, action="append", default=[], metavar="CHECKPOINT")
    for paper in ("receipt", "checkpoint", "fork", "card"):
        parser.add_argument(f"--{paper}", type=Path, action="append", default=[], metavar="FILE")
    parser.add_argument("--cases", metavar="TESTS")
    return parser.parse_args()


def asked_of(given):
    asked = Asked(vault=bytes.fromhex(given.vault_id) if given.vault_id else None)
    if given.identity:
        passphrase = given.passphrase_file.read_bytes().removesuffix(b"\n") if given.passphrase_file else None
        asked.identity = Identity.read(given.identity.read_bytes(), passphrase)
    cards = [Card(path.read_bytes()) for path in given.owner]
    asked.owner = cards[0] if cards else None
    for path in given.remembers:
        checkpoint = Checkpoint(path.read_bytes())
        asked.remembered.append((checkpoint.log, checkpoint))
    for kind in ("receipt", "checkpoint", "fork", "card"):
        asked.papers += [(kind, str(path), path.read_bytes()) for path in getattr(given, kind)]
    return asked, cards


def judge_cases(tests):
    """One line of JSON for each case; what this program does not expect is an answer as well."""
    cases = Cases(tests)
    for line in sys.stdin:
        name = line.removesuffix("\n")
        try:
            expected, said = cases.run(Path(name))
            differences = expected.differences(said)
        except Exception:  # a defect of this program, which must not stop the others
            differences = [traceback.format_exc()]
        print(json.dumps({"case": name, "differences": differences}), flush=True)


def main():
    given = arguments()
    if given.cases:
        judge_cases(given.cases)
        return 0
    try:
        asked, cards = asked_of(given)
        report = verify(read_tree(given.vault), asked) if given.vault else check_alone(asked.papers, cards)
    except (Refused, Malformed) as error:
        print(json.dumps({"format": 1, "error": str(error), "code": getattr(error, "code", 1)}), file=sys.stderr)
        return getattr(error, "code", 1)
    print(json.dumps(report.as_json(), indent=2))
    return report.exit_code


if __name__ == "__main__":
    sys.exit(main())
