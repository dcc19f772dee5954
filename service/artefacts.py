"""The artefact store: files under the SHA-256 of their bytes, here or in S3. Who owns which is in the database."""

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from evenhand.service.errors import ArtefactDamaged, ArtefactMissing, EmptyUpload, UploadIncomplete, UploadTooLarge

if TYPE_CHECKING:
    from obstore.store import ObjectStore

CHUNK_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Spooled:
    """A file received and not yet kept."""

    path: Path
    sha256: str
    size_bytes: int


@contextlib.contextmanager
def spool(
    chunks: Iterable[bytes], *, folder: Path, filename: str, limit_bytes: int, announced_bytes: int | None
) -> Iterator[Spooled]:
    """Receive a file into a folder of its own, hashing as it comes. Nothing is left of it afterwards.

    Args:
        chunks: the bytes, in pieces.
        folder: where its temporary folder is made.
        filename: how it is called there, so that its ending tells its format.
        limit_bytes: most bytes that are accepted.
        announced_bytes: what the sender says it sends; None where it does not say.

    Raises:
        UploadTooLarge: more bytes are announced, or come, than are accepted.
        UploadIncomplete: fewer bytes come than were announced.
        EmptyUpload: none come.
    """
    if announced_bytes is not None and announced_bytes > limit_bytes:
        raise UploadTooLarge(limit_bytes, announced_bytes)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="upload-", dir=folder) as name:
        path = Path(name) / filename
        digest, size = hashlib.sha256(), 0
        with path.open("wb") as file:
            for chunk in chunks:
                size += len(chunk)
                if size > limit_bytes:
                    raise UploadTooLarge(limit_bytes, None)
                digest.update(chunk)
                file.write(chunk)
        if announced_bytes is not None and size < announced_bytes:
            raise UploadIncomplete(size, announced_bytes)
        if size == 0:
            raise EmptyUpload(filename)
        yield Spooled(path=path, sha256=digest.hexdigest(), size_bytes=size)


class Artefacts:
    """Files by their hash. Opens the store at the first use, so that it may be made before a fork."""

    def __init__(self, url: str) -> None:
        """Args: url: `file:///folder`, or `s3://bucket/prefix` with the usual AWS variables."""
        self._url = url
        self._opened: ObjectStore | None = None

    def put_file(self, path: Path, sha256: str) -> None:
        """Keep a file under the hash of its bytes. What is there already stays."""
        from obstore import put
        from obstore.exceptions import AlreadyExistsError

        with contextlib.suppress(AlreadyExistsError), path.open("rb") as file:
            put(self._store(), _key(sha256), file, mode="create")

    def put_bytes(self, content: bytes) -> str:
        """Keep bytes; returns their hash."""
        from obstore import put
        from obstore.exceptions import AlreadyExistsError

        sha256 = hashlib.sha256(content).hexdigest()
        with contextlib.suppress(AlreadyExistsError):
            put(self._store(), _key(sha256), content, mode="create")
        return sha256

    def read(self, sha256: str) -> bytes:
        """The bytes of this hash.

        Raises:
            ArtefactMissing: there are none.
            ArtefactDamaged: they no longer have this hash.
        """
        content = b"".join(self._chunks(sha256))
        if hashlib.sha256(content).hexdigest() != sha256:
            raise ArtefactDamaged(sha256)
        return content

    def fetch(self, sha256: str, path: Path) -> None:
        """Write the bytes of this hash to a file. Raises as `read`; a damaged file is removed again."""
        digest = hashlib.sha256()
        with path.open("wb") as file:
            for chunk in self._chunks(sha256):
                digest.update(chunk)
                file.write(chunk)
        if digest.hexdigest() != sha256:
            path.unlink()
            raise ArtefactDamaged(sha256)

    def has(self, sha256: str) -> bool:
        from obstore import head

        try:
            head(self._store(), _key(sha256))
        except FileNotFoundError:
            return False
        return True

    def delete(self, sha256: str) -> None:
        """Remove a file; one that is not there is no error."""
        from obstore import delete

        with contextlib.suppress(FileNotFoundError):
            delete(self._store(), _key(sha256))

    def check(self) -> None:
        """Raise whatever is wrong with the store."""
        from obstore import list as list_objects

        next(iter(list_objects(self._store(), prefix="sha256/00", chunk_size=1)), None)

    def _chunks(self, sha256: str) -> Iterator[bytes]:
        from obstore import get

        try:
            result = get(self._store(), _key(sha256))
        except FileNotFoundError as error:
            raise ArtefactMissing(sha256) from error
        for chunk in result.stream(min_chunk_size=CHUNK_BYTES):
            yield bytes(chunk)

    def _store(self) -> "ObjectStore":
        if self._opened is None:
            from obstore.store import LocalStore, from_url

            if self._url.startswith("file://"):
                folder = Path(self._url.removeprefix("file://"))
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                os.chmod(folder, 0o700)  # noqa: PTH101 - mkdir leaves the mode of a folder that was there
                self._opened = LocalStore(str(folder))
            else:
                self._opened = from_url(self._url)
        return self._opened


def _key(sha256: str) -> str:
    return f"sha256/{sha256[:2]}/{sha256[2:]}"
