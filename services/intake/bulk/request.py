"""What is asked for: a group of people, resource types, and since when. Makes addresses, and the key of bookkeeping."""

import hashlib
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlencode

from services.intake.bulk.failures import RequestRefused
from services.intake.bulk.profiles import PATIENT, Profile

TYPES: Final = ("Patient", "Coverage", "ExplanationOfBenefit", "Claim", "ClaimResponse")
_GROUP = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}")
# Changes before the APIs kept track all carry the date 2020-01-01, and are found only from then on.
TRACKED_SINCE: Final = datetime(2020, 2, 12, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """One export. ``group`` is the name of a group, or ``patient`` for ``/Patient/$export``."""

    profile: Profile
    version: str
    group: str
    types: tuple[str, ...]
    since: datetime | None = None

    def asking_since(self, since: datetime | None) -> "ExportRequest":
        """The same, of another time."""
        return replace(self, since=since)

    @property
    def url(self) -> str:
        """Where the export is started. Colons of times and commas between types stand as the APIs document them."""
        profile = self.profile
        pattern = profile.patient_path if self.group == PATIENT else profile.group_path
        path = (pattern or "").format(version=self.version, group=self.group)
        query = {"_type": ",".join(self.types)}
        if self.since is not None:
            query["_since"] = instant(self.since)
        return f"{profile.base_url}{path}?{urlencode(query, safe=',:')}"

    @property
    def jobs_url(self) -> str | None:
        """Where the server lists the jobs that have not ended, if it does."""
        path = self.profile.jobs_path
        if path is None:
            return None
        return f"{self.profile.base_url}{path.format(version=self.version)}?_status=Pending,In%20Progress"

    @property
    def key(self) -> str:
        """A name of what is asked for, whatever the time: what is kept of it is kept under this name."""
        told = "\n".join((self.profile.base_url, self.version, self.group, *sorted(self.types)))
        digest = hashlib.sha256(told.encode()).hexdigest()[:10]
        return f"{self.profile.name}-{self.version}-{self.group}-{digest}"


def instant(moment: datetime) -> str:
    """A FHIR instant, in UTC, to the millisecond."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def export_request(
    profile: Profile, *, version: str | None = None, group: str | None = None, types: tuple[str, ...] = ()
) -> ExportRequest:
    """A request of what the source has; where something is not named, what is usual for it.

    Raises :class:`RequestRefused` for a version, group or type that the source does not have.
    """
    version, group = version or profile.version, group or profile.group
    if version not in profile.versions:
        raise RequestRefused(f"{profile.name} has the versions {', '.join(profile.versions)}.")
    if group is None:
        raise RequestRefused(f"{profile.name} needs --group: the identifier of a group.")
    _check_group(profile, group)
    unknown = [name for name in types if name not in TYPES]
    if unknown:
        raise RequestRefused(f"Resource types are {', '.join(TYPES)}.")
    return ExportRequest(profile, version, group, tuple(dict.fromkeys(types)) or profile.types)


def _check_group(profile: Profile, group: str) -> None:
    if group == PATIENT:
        allowed = profile.patient_path is not None
    else:
        # Where a source has groups of fixed names (BCDA), others are a slip of the operator's.
        fixed = [name for name in profile.groups if name != PATIENT]
        allowed = profile.group_path is not None and (group in fixed or (not fixed and bool(_GROUP.fullmatch(group))))
    if not allowed:
        raise RequestRefused(f"{profile.name} has no such group; it has: {', '.join(profile.groups) or 'your own'}.")
