"""States as numbers (FIPS 5-2) and as letters (USPS)."""

# American National Standards Institute INCITS 38, formerly FIPS 5-2.
USPS_OF_FIPS: dict[str, str] = dict(
    pair.split(":")
    for pair in (  # noqa: SIM905 - a table reads better than two hundred quotes
        "01:AL 02:AK 04:AZ 05:AR 06:CA 08:CO 09:CT 10:DE 11:DC 12:FL 13:GA 15:HI 16:ID 17:IL 18:IN 19:IA 20:KS 21:KY "
        "22:LA 23:ME 24:MD 25:MA 26:MI 27:MN 28:MS 29:MO 30:MT 31:NE 32:NV 33:NH 34:NJ 35:NM 36:NY 37:NC 38:ND 39:OH "
        "40:OK 41:OR 42:PA 44:RI 45:SC 46:SD 47:TN 48:TX 49:UT 50:VT 51:VA 53:WA 54:WV 55:WI 56:WY "
        "60:AS 66:GU 69:MP 72:PR 78:VI"
    ).split()
)
_USPS = frozenset(USPS_OF_FIPS.values())


def usps_state(text: str) -> str | None:
    """The letters of a state given as FIPS number or USPS letters; ``None`` for anything else."""
    code = text.strip().upper()
    return code if code in _USPS else USPS_OF_FIPS.get(code.rjust(2, "0"))


# The numbers of the Social Security Administration, which CMS's beneficiary files carry: in the alphabet of the names,
# the territories behind. They are not FIPS numbers (05 is California, not Arkansas).
USPS_OF_SOCIAL_SECURITY: dict[str, str] = {
    f"{number:02d}": letters
    for number, letters in enumerate(
        (  # noqa: SIM905 - a table reads better than a hundred quotes
            "AL AK AZ AR CA CO CT DE DC FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND "
            "OH OK OR PA PR RI SC SD TN TX UT VT VI VA WA WV WI WY"
        ).split(),
        start=1,
    )
}


def usps_state_of_social_security(text: str) -> str | None:
    """The letters of a state given as the Social Security Administration's number or as USPS letters."""
    code = text.strip().upper()
    return code if code in _USPS else USPS_OF_SOCIAL_SECURITY.get(code)
