"""What a model file is, told from its bytes and never from its name; formats that can run code are refused here.

Nothing is deserialised: magic numbers, the names in a zip folder, and pickle opcodes read as text.
"""

import io
import itertools
import pickletools
import zipfile
from enum import StrEnum

from evenhand.classifiers.endpoints.description import described_in
from evenhand.classifiers.errors import CorruptModel, RefusedFormat, UnsupportedModel

TO_ONNX = "Export the model to ONNX: torch.onnx.export(model, example, 'model.onnx') writes it from PyTorch."
SKLEARN_TO_ONNX = (
    "Load it where you trust it and write ONNX with skl2onnx.to_onnx(model, example_rows), "
    "or skops with skops.io.dump(model, 'model.skops')."
)
KERAS_TO_ONNX = "Load it where you trust it and write ONNX: model.export('model.onnx', format='onnx') in Keras 3."

COMPRESSED = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"x\x01": "zlib",
    b"x\x5e": "zlib",
    b"x\x9c": "zlib",
    b"x\xda": "zlib",
    b"\x04\x22\x4d\x18": "lz4",
    b"\x28\xb5\x2f\xfd": "zstandard",
    b"\x5d\x00\x00": "lzma",
}
ZIP, HDF5, NUMPY = b"PK\x03\x04", b"\x89HDF\r\n\x1a\n", b"\x93NUMPY"
ONNX_BEGINS = (b"\x08", b"\x3a")  # field 1, the version of the format; or field 7, the graph, where it is left out
PICKLE_LOOKED_AT = 1 << 20
OPCODES_LOOKED_AT = 10_000
MEMBERS_LOOKED_AT = 200
MOST_MEMBERS = 10_000
MOST_UNPACKED = 2 << 30
MEMBER = b"PK\x01\x02"  # begins each entry of a zip file's directory
MOST_HEADER = 16_000_000


class Format(StrEnum):
    """Formats that are accepted."""

    ONNX = "onnx"
    SAFETENSORS = "safetensors"
    SKOPS = "skops"
    ENDPOINT = "endpoint"


def format_of(data: bytes, *, name: str) -> Format:
    """The format of a model file.

    Args:
        data: all its bytes.
        name: what messages call it.

    Raises:
        RefusedFormat: pickle (also in a zip or compressed), PyTorch's own formats, Keras.
        UnsupportedModel: arrays rather than a model.
        CorruptModel: none of these.
    """
    if not data:
        raise CorruptModel(name=name, problem="the file is empty")
    if _is_safetensors(data):
        return Format.SAFETENSORS
    if described_in(data) is not None:
        return Format.ENDPOINT
    if data.startswith(ZIP):
        return _in_zip(data, name)
    if data.startswith(HDF5):
        raise RefusedFormat(name=name, found="an HDF5 file, as Keras writes", how_to_convert=KERAS_TO_ONNX)
    for magic, how in COMPRESSED.items():
        if data.startswith(magic):
            found = f"a file compressed with {how}, as joblib writes pickles"
            raise RefusedFormat(name=name, found=found, how_to_convert=SKLEARN_TO_ONNX)
    if data.startswith(NUMPY):
        raise UnsupportedModel(name=name, problem="it is a NumPy array", instead=TO_ONNX)
    if is_pickle(data):
        raise RefusedFormat(name=name, found="a pickle", how_to_convert=SKLEARN_TO_ONNX)
    if data.startswith(ONNX_BEGINS):
        return Format.ONNX
    raise CorruptModel(name=name, problem="it begins like no format known here")


def is_pickle(data: bytes) -> bool:
    """Whether the bytes are a pickle of any protocol. Opcodes are listed, not obeyed, and only the first of many.

    What is no pickle here is not accepted for that: it must then begin as a format that is.
    """
    if len(data) > 1 and data[0] == 0x80 and 2 <= data[1] <= 5:
        return True
    try:
        opcodes = itertools.islice(pickletools.genops(io.BytesIO(data[:PICKLE_LOOKED_AT])), OPCODES_LOOKED_AT)
        return any(opcode.name == "STOP" for opcode, _, _ in opcodes)
    except Exception:  # whatever the opcode reader makes of arbitrary bytes: then it is no pickle
        return False


def _is_safetensors(data: bytes) -> bool:
    length = int.from_bytes(data[:8], "little")
    return len(data) > 9 and data[8:9] == b"{" and 2 <= length <= min(MOST_HEADER, len(data) - 8)


def _in_zip(data: bytes, name: str) -> Format:
    if data.count(MEMBER) > MOST_MEMBERS:
        raise CorruptModel(name=name, problem=f"a zip file of more than {MOST_MEMBERS:,} members")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as folder:
            members = folder.namelist()
            unpacked = sum(member.file_size for member in folder.infolist())  # no more of a member is read than this
            if unpacked > MOST_UNPACKED:
                problem = f"a zip file that unpacks to {unpacked:,} bytes; {MOST_UNPACKED:,} are accepted"
                raise CorruptModel(name=name, problem=problem)
            if "schema.json" in members and not any(member.endswith(".pkl") for member in members):
                return Format.SKOPS
            refused = _refused_zip(members) or _pickle_in(folder)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError, ValueError) as problem:
        raise CorruptModel(name=name, problem=f"a damaged zip file ({problem})") from None
    if refused:
        raise RefusedFormat(name=name, found=refused[0], how_to_convert=refused[1])
    raise UnsupportedModel(name=name, problem="it is a zip file that holds no model known here", instead=TO_ONNX)


def _refused_zip(members: list[str]) -> tuple[str, str] | None:
    ends = {member.split("/", 1)[-1] for member in members}
    if any(end.startswith(("models/", "data/weights/", "archive_format")) for end in ends):
        return "a program of torch.export (.pt2)", TO_ONNX
    if "constants.pkl" in ends or any(end.startswith("code/") for end in ends):
        return "a TorchScript program", TO_ONNX
    if "data.pkl" in ends:
        return "a file of torch.save", TO_ONNX
    if "model.weights.h5" in ends:
        return "a Keras file", KERAS_TO_ONNX
    return None


def _pickle_in(folder: zipfile.ZipFile) -> tuple[str, str] | None:
    for member in folder.infolist()[:MEMBERS_LOOKED_AT]:
        with folder.open(member) as opened:
            if is_pickle(opened.read(PICKLE_LOOKED_AT)):
                return f"a zip file with the pickle {member.filename!r} in it", SKLEARN_TO_ONNX
    return None
