"""Former addresses of the families of terms: packages that use them load for one more release, with a warning."""

import warnings
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

HERE = "service.learning."
FACES = {
    **dict.fromkeys(("loss", "cross_entropies", "margins"), "losses"),
    **dict.fromkeys(("rule", "adam", "modifiers"), "optimisers"),
    **dict.fromkeys(("schedule", "plateau", "cycles"), "schedules"),
    **dict.fromkeys(("architecture", "tape", "containers", "dropout", "normalisation"), "layers"),
    **dict.fromkeys(("activation", "activations", "rectifiers", "smooth"), "layers.activations"),
    "inits": "initialisations",
    "vocabulary": "terms",
}
"""The module or package whose address replaces that of a former module."""
NAMES = {
    "architecture": {"Slot": "ParameterSlot", "Arrangement": "Shape"},
    "rule": {"Work": "RuleState"},
    "tape": {"Call": "Action"},
}
"""Former names in a module, and the present ones."""


class FormerAddresses(MetaPathFinder, Loader):
    """Finder of former modules; each has all names of its present address."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the specification of a former module; None of any other."""
        former = fullname.startswith(HERE) and fullname.removeprefix(HERE) in FACES
        return ModuleSpec(fullname, self) if former else None

    def exec_module(self, module: ModuleType) -> None:
        """Fill a former module, and warn its importer."""
        former = module.__name__.removeprefix(HERE)
        present = HERE + FACES[former]
        warnings.warn(f"{module.__name__} is {present} now; import from there.", DeprecationWarning, stacklevel=2)
        names = vars(import_module(present))
        module.__dict__.update({name: value for name, value in names.items() if not name.startswith("__")})
        module.__dict__.update({name: names[present] for name, present in NAMES.get(former, {}).items()})
