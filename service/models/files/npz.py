"""NumPy's npz format: a zip file with one npy file a tensor."""

import io
import lzma
import math
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any

import numpy as np

from service.errors import invalid
from service.http.json_numbers import Array
from service.http.unpacking import check_members
from service.models.files.tensors import Tensor, TensorFile
from service.models.signature.from_file import LONGEST_SIGNATURE

MAGIC = b"PK\x03\x04"
SUFFIX = ".npy"
ARCHITECTURE = "architecture"
SIGNATURE = "signature"
LONGEST = {ARCHITECTURE: 100_000, SIGNATURE: LONGEST_SIGNATURE}
"""Characters of the texts that stand beside the tensors."""
MOST_ENTRIES = 40_000
"""Entries of a file; no architecture that is read has more tensors."""
NPY = b"\x93NUMPY\x01\x00"
LONGEST_HEADER = 4096
"""Bytes; NumPy writes 118 for most arrays."""
DESCR = re.compile(r"'descr': '([<>|=]?)([a-zA-Z]\d{0,9})'")
COLUMNS = re.compile(r"'fortran_order': (True|False)")
SHAPE = re.compile(r"'shape': \(([\d, ]*)\)")
DTYPES = {"f2": "float16", "f4": "float32", "f8": "float64"}
BROKEN = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, ValueError, OSError, EOFError, RuntimeError)
"""Errors of reading files that are no npz; the last also means that a file is encrypted or packed in an unknown way."""


def write(tensors: Mapping[str, Array], architecture: str, signature: str | None = None) -> bytes:
    """Return the file of these tensors; the architecture and any signature are arrays of one text: no pickle in it."""
    file = io.BytesIO()
    texts = {ARCHITECTURE: architecture} | ({} if signature is None else {SIGNATURE: signature})
    content: dict[str, Any] = {**{name: np.array(text) for name, text in texts.items()}, **tensors}
    np.savez(file, allow_pickle=False, **content)
    return file.getvalue()


def read(body: bytes) -> TensorFile:
    """Read the file. Only headers are read before it is known what fits, and never more than they announce.

    Raises:
        TooLarge: it unpacks to too much.
        Invalid: it is broken, or holds pickled objects.
    """
    with _broken_is_invalid():
        archive = zipfile.ZipFile(io.BytesIO(body))
        if len(archive.namelist()) > MOST_ENTRIES:
            raise ValueError(f"it has more than {MOST_ENTRIES:,} entries")
        check_members(archive.infolist(), len(body))
        tensors = {name.removesuffix(SUFFIX): _tensor(archive, name) for name in archive.namelist()}
        texts = {name: _text(name, tensors.pop(name)) for name in LONGEST if name in tensors}
        return TensorFile(tensors, texts.get(ARCHITECTURE), texts.get(SIGNATURE))


@contextmanager
def _broken_is_invalid() -> Iterator[None]:
    try:
        yield
    except BROKEN as error:
        raise invalid("#", f"This npz file is broken: {error}.", "malformed") from None


@dataclass(frozen=True)
class Header:
    """The description of an npy file's array: dtype as in `<f4`, shape, whether columns come one after another."""

    order: str
    code: str
    shape: tuple[int, ...]
    columns_first: bool

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(self.order + self.code)

    @classmethod
    def read(cls, file: IO[bytes]) -> "Header":
        """Return the header that a file begins with.

        NumPy's own reader would parse it as Python. Later versions of the format than 1.0 are for other arrays.
        """
        start = file.read(10)
        length = int.from_bytes(start[8:], "little")
        if start[:8] != NPY or length > LONGEST_HEADER:
            raise ValueError("it must hold npy files of version 1.0")
        text = file.read(length).decode("latin-1")
        descr, columns, shape = DESCR.search(text), COLUMNS.search(text), SHAPE.search(text)
        if descr is None or columns is None or shape is None:
            raise ValueError("an npy file does not describe plain numbers")
        sizes = tuple(int(each) for each in shape[1].split(",") if each.strip())
        return cls(descr[1], descr[2], sizes, columns[1] == "True")


def _tensor(archive: zipfile.ZipFile, name: str) -> Tensor:
    with archive.open(name) as file:
        header = Header.read(file)
    if header.code.startswith("O"):
        detail = f"{name[:100]} holds pickled Python objects, which can run code: give arrays of numbers."
        raise invalid("#", detail, "pickle_refused")
    return Tensor(header.shape, DTYPES.get(header.code, header.code), _reader(archive, name))


def _reader(archive: zipfile.ZipFile, name: str) -> Callable[[], Array]:
    def read() -> Array:
        with _broken_is_invalid(), archive.open(name) as file:
            header = Header.read(file)
            data = file.read(math.prod(header.shape) * header.dtype.itemsize)
            return np.frombuffer(data, header.dtype).reshape(header.shape, order="F" if header.columns_first else "C")

    return read


def _text(name: str, tensor: Tensor) -> str:
    length = tensor.dtype.removeprefix("U")
    if tensor.shape != () or not length.isdecimal() or not 0 < int(length) <= LONGEST[name]:
        raise ValueError(f"{name} must be one text of at most {LONGEST[name]:,} characters")
    text = tensor.read()
    # by a codec, which knows what is no text
    return text.tobytes().decode("utf-32-be" if text.dtype.byteorder == ">" else "utf-32-le").rstrip("\0")
