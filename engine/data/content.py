"""The content of a data file as a stream: decompressed as it is read, counted, and only from an ordinary file."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from tuneproof.engine.core.errors import DataRefused
from tuneproof.engine.core.text_file import TextFileError, require_ordinary_file
from tuneproof.engine.data.reading_limits import MIB, ReadingLimits

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

COMPRESSIONS = (".gz", ".zst")


class Content(io.RawIOBase):
    """The decompressed bytes of a file. Reading raises DataRefused when they grow beyond the limits, and OSError for a broken file."""

    def __init__(self, stream: Any, file: BinaryIO, path: Path, limits: ReadingLimits, *, compressed: bool, held: int) -> None:
        super().__init__()
        self._stream, self._file, self._path, self._limits = stream, file, path, limits
        self._compressed, self._held = compressed, held
        self.file_bytes = path.stat().st_size
        self._read = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Decompresses at most as many bytes as the buffer has."""
        view = memoryview(buffer)
        try:
            chunk = self._stream.read(min(len(view), MIB))
        except (EOFError, zlib.error) as error:
            raise OSError(f"the compressed data are broken: {error}") from None
        view[: len(chunk)] = chunk
        self._read += len(chunk)
        if self._compressed:
            self._limits.require_ratio(str(self._path), self.file_bytes, self._read)
        self._limits.take(str(self._path), text_bytes=len(chunk), held_bytes=len(chunk) * self._held)
        return len(chunk)

    @property
    def share_read(self) -> float:
        """The part of the file that has been read, from 0 to 1."""
        return 1.0 if self._file.closed or not self.file_bytes else self._file.tell() / self.file_bytes


def require_data_file(path: Path) -> None:
    """Raises DataRefused for what has no end that can be known: a pipe, a device, a folder."""
    try:
        require_ordinary_file(path)
    except FileNotFoundError:
        raise DataRefused("there is no such file", where=str(path), fix="paths are relative to the case file") from None
    except TextFileError as error:
        raise DataRefused(f"the data file cannot be read: {error}", where=str(path), fix=error.fix) from None


@contextmanager
def open_content(path: Path, compression: str, limits: ReadingLimits, held: int = 0) -> Iterator[Content]:
    """Opens a data file; `held` bytes of memory are held for each of its bytes while it is read.

    Raises DataRefused if it is no ordinary file or larger than memory, and OSError if it cannot be opened.
    """
    require_data_file(path)
    if not compression:
        limits.require_room(str(path), text_bytes=path.stat().st_size)
    with path.open("rb") as file:
        yield Content(_decompressed(file, compression), file, path, limits, compressed=bool(compression), held=held)


def _decompressed(file: BinaryIO, compression: str) -> Any:
    if compression == ".gz":
        return gzip.GzipFile(fileobj=file)
    if compression == ".zst":
        # pyarrow is installed for Parquet and has Zstandard too.
        import pyarrow

        return pyarrow.CompressedInputStream(pyarrow.PythonFile(cast(Any, file), mode="r"), "zstd")
    return file
