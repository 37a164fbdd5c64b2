"""The reference files, made again by every script whose packages are there: `make references`."""

import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version

NEEDS = {
    "make_torch": "torch==2.13.0",
    "make_jax": "jax==0.10.2 jaxlib==0.10.2 optax==0.2.8",
    "make_sklearn": "scikit-learn==1.9.1",
    "make_metrics": "scikit-learn==1.9.1",
    "make_mpmath": "mpmath==1.3.0",
}
"""The packages of each script besides numpy, as pip takes them; the answers in the files are of these versions."""
HERE = "tests.learning.references"


def lacks(requirement: str) -> bool:
    """Whether this environment lacks a version of a package; that of a build for processors alone, +cpu, will do."""
    name, _, wanted = requirement.partition("==")
    try:
        return version(name).partition("+")[0] != wanted
    except PackageNotFoundError:
        return True


def main() -> int:
    failed = []
    for script, needs in NEEDS.items():
        if any(map(lacks, needs.split())):
            sys.stdout.write(
                f"{script} is left out: it needs {needs}, which {sys.prefix} lacks. `make .venv-bench/.peers` installs "
                "all packages where `make references` finds them.\n"
            )
            continue
        sys.stdout.write(f"{script} runs\n")
        sys.stdout.flush()
        if subprocess.run([sys.executable, "-m", f"{HERE}.{script}"], check=False).returncode != 0:
            failed.append(script)
    return len(failed)


if __name__ == "__main__":
    sys.exit(main())
