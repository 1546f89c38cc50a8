"""A second verifier of `amparo.v1`, written from docs/FORMAT.md and from nothing else.

It exists to be different from the program: another language, other libraries, another author's reading of the page.
Where both agree on thousands of vaults, good and bad, the page says enough. Each module names the part of the page it
follows (`§`). It reads a whole file at a time and is in no hurry; it is no tool for daily work.

    hashes, text, messagepack     § 2    what everything is made of
    bech32, age, keys, shares     § 3    what opens files
    notes, papers                 § 4    what is signed
    layout, folder                § 5    names on the disk
    documents, record, payload    § 6    what is inside
    histories, order, standing    § 7    which entries count
    report and the other ones     § 8    every check
    cases                         § 10   whole vaults as data, with their verdicts
"""
