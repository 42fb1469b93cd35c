"""Whether a National Provider Identifier can be one.

Source: 45 CFR 162.406 and ISO/IEC 7812-1: the tenth digit is the check digit of Luhn's formula over the prefix 80840
and the nine digits before it.
"""

_OF_PREFIX = 24
_BASE = 10


def npi_check_digit_holds(npi: str) -> bool:
    """Of ten digits: whether the last of them is the right one."""
    total = _OF_PREFIX
    for position, character in enumerate(reversed(npi)):
        digit = int(character)
        total += digit if position % 2 == 0 else sum(divmod(2 * digit, _BASE))
    return total % _BASE == 0
