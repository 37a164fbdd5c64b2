"""The names of environment variables that begin with DESCENT_: ours, Kubernetes's, and misspelt ones."""

import re
from collections.abc import Collection, Mapping
from difflib import get_close_matches

EVERY_HOST = "*"


PREFIX = "DESCENT_"

_OF_KUBERNETES = re.compile(
    rf"{PREFIX}(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)"
)
_ADDRESS_OF_KUBERNETES = re.compile(r"(tcp|udp|sctp)://.*")


def is_of_kubernetes(name: str, value: str) -> bool:
    """Whether Kubernetes makes this variable in every pod beside a Service called `descent` or `descent-...`.

    `DESCENT_PORT` is the one that looks like a setting: theirs holds an address.
    """
    if _OF_KUBERNETES.fullmatch(name) is not None:
        return True
    return (
        re.fullmatch(rf"{PREFIX}(\w+_)?PORT", name) is not None and _ADDRESS_OF_KUBERNETES.fullmatch(value) is not None
    )


def ignored(environment: Mapping[str, str]) -> list[str]:
    """Return the variables that Kubernetes made."""
    return sorted(name for name, value in environment.items() if is_of_kubernetes(name, value))


def unknown(environment: Mapping[str, str], settings: Collection[str]) -> list[str]:
    """One sentence for each variable with our prefix that is no setting, with the nearest name of one."""
    known = [setting.upper() for setting in settings]
    strangers = [
        name
        for name, value in sorted(environment.items())
        if name.upper().startswith(PREFIX)
        and name.upper().removeprefix(PREFIX) not in known
        and not is_of_kubernetes(name, value)
    ]
    return [f"{name} is no setting: {_remedy(name.upper().removeprefix(PREFIX), known)}" for name in strangers]


def _remedy(name: str, known: list[str]) -> str:
    nearest = get_close_matches(name, known, n=1)
    if nearest:
        return f"did you mean {PREFIX}{nearest[0]}?"
    return f"unset it. There are {', '.join(PREFIX + each for each in known)}."
