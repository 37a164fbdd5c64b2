"""The page's vendored files, taken from npm again: `make vendor`.

`service/page/vendor/packages.json` has versions, licences and the SHA-256 of each file. To take a newer version, write
it there and run `make vendor ARGS=--accept`, which writes the new checksums.
"""

import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

VENDOR = Path(__file__).parents[2] / "service" / "page" / "vendor"
PACKAGES = VENDOR / "packages.json"


def place_of(package: str, file: str) -> Path:
    """Return where a file of a package lies here."""
    return VENDOR / package.rpartition("/")[2] / Path(file).name


def checksum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def fetched(package: str, version: str, files: list[str]) -> dict[str, bytes]:
    """Return files of a version of a package, as npm has them."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["npm", "pack", "--silent", f"{package}@{version}"], cwd=folder, check=True, capture_output=True)
        (archive,) = Path(folder).iterdir()
        with tarfile.open(archive) as held:
            return {file: _read(held, f"package/{file}") for file in files}


def _read(archive: tarfile.TarFile, name: str) -> bytes:
    member = archive.extractfile(name)
    assert member is not None, f"{name} is no file"
    return member.read()


def main(accept: bool) -> int:
    """Fetch all files; write those whose checksum is right, or with `accept` all of them. Return the exit status."""
    packages = json.loads(PACKAGES.read_text(encoding="utf-8"))
    wrong = []
    for package, entry in packages.items():
        for file, content in fetched(package, entry["version"], list(entry["files"])).items():
            if accept:
                entry["files"][file] = checksum(content)
            if entry["files"][file] == checksum(content):
                place_of(package, file).parent.mkdir(exist_ok=True)
                place_of(package, file).write_bytes(content)
            else:
                wrong.append(f"{package} {file}")
    if accept:
        PACKAGES.write_text(json.dumps(packages, indent=2) + "\n", encoding="utf-8")
    sys.stdout.writelines(f"{name}: the checksum differs; the file stays as it was\n" for name in wrong)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(accept="--accept" in sys.argv[1:]))
