"""What a text looks like, told without telling the text: enough to see what went wrong, nothing about a person."""

from collections.abc import Callable, Iterator

_FULL = "character"
# The classes are told in this order; a character belongs to the first that takes it.
_CLASSES: tuple[tuple[str, Callable[[str], bool]], ...] = (
    ("digit", lambda character: character.isascii() and character.isdigit()),
    ("letter", lambda character: character.isascii() and character.isalpha()),
    ("space", str.isspace),
    ("control character", lambda character: not character.isprintable()),
    ("character outside of ASCII", lambda character: not character.isascii()),
)
_OTHER = "other"
_MOST_COUNTED = 10_000


def shape_of(text: str | bytes) -> str:
    """The shape of a text: ``"8 characters: 5 digits, 3 letters"``. Never holds a character of it.

    Of bytes each is a character. Of a text longer than 10,000 only the length is told.
    """
    if isinstance(text, bytes):
        text = text.decode("latin-1")
    if not text:
        return "nothing"
    length = _many(len(text), _FULL)
    if len(text) > _MOST_COUNTED:
        return length
    return f"{length}: {', '.join(_parts(text))}"


def _parts(text: str) -> Iterator[str]:
    counts = dict.fromkeys([name for name, _ in _CLASSES] + [_OTHER], 0)
    for character in text:
        counts[_class_of(character)] += 1
    for name, count in counts.items():
        if count:
            yield f"{count} {_OTHER}" if name == _OTHER else _many(count, name)


def _class_of(character: str) -> str:
    return next((name for name, takes in _CLASSES if takes(character)), _OTHER)


def _many(count: int, name: str) -> str:
    head, space, rest = name.partition(" outside")
    return f"{count} {head if count == 1 else head + 's'}{space}{rest}"
