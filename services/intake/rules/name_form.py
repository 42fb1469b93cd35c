"""The form in which names are compared and looked up: capitals without accents, and how a name sounds.

Source of the sound: US National Archives, "The Soundex Indexing System".
"""

import unicodedata

_CODES = {
    **dict.fromkeys("BFPV", "1"),
    **dict.fromkeys("CGJKQSXZ", "2"),
    **dict.fromkeys("DT", "3"),
    "L": "4",
    **dict.fromkeys("MN", "5"),
    "R": "6",
}
# Between two letters of one code these do not make it two sounds; vowels do.
_SILENT = "HW"
_SOUNDS = 3
# What is no part of a name, though it stands in its field.
_SUFFIXES = frozenset({"JR", "SR", "II", "III", "IV"})


def name_form(name: str | None) -> str:
    """Capitals and digits of a name, without accents, blanks, hyphens and what only tells father from son.

    Only made-up people have digits in their names, and are told apart by them.
    """
    if not name:
        return ""
    plain = unicodedata.normalize("NFKD", name.replace("ß", "ss")).upper()
    words = "".join(letter if letter.isascii() and letter.isalnum() else _between(letter) for letter in plain).split()
    kept = [word for word in words if word not in _SUFFIXES] or words
    return "".join(kept)


def _between(letter: str) -> str:
    # Accents and apostrophes belong to the letter before; everything else parts words.
    return "" if unicodedata.combining(letter) or letter in "'\u2019`" else " "


def sound_of(form: str) -> str:
    """Soundex of a name in the form of :func:`name_form`; empty for no name."""
    if not form:
        return ""
    digits: list[str] = []
    last = _CODES.get(form[0], "")
    for letter in form[1:]:
        code = _CODES.get(letter, "")
        if code and code != last:
            digits.append(code)
        if letter not in _SILENT:
            last = code
    return (form[0] + "".join(digits) + "0" * _SOUNDS)[: _SOUNDS + 1]
