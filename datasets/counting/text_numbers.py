"""Text that must be numbers, chunk by chunk, read as a whole file's column would be: true and false are 1 and 0.

A column is all of the one kind or all of the other. What text is a number, or true, is for the CSV reader to say.
"""

from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pv

from evenhand.datasets import delimited
from evenhand.datasets.place import Place


@dataclass
class TextNumbers:
    """One column, between chunks.

    Attributes:
        first_word: row and text of the first true or false.
        has_numbers: whether a number was met.
    """

    place: Place
    rows: int = 0
    first_word: tuple[int, str] | None = None
    has_numbers: bool = False

    def of(self, texts: Any) -> Any:
        """The next chunk as booleans or numbers; as text where it is neither, which is refused where numbers are taken.

        Args:
            texts: an Arrow array of strings, missing where the file has none.

        Raises:
            NotNumeric: true or false beside numbers; the first of them is named.
        """
        read = _read(texts)
        known = len(read) - read.null_count
        if pa.types.is_boolean(read.type) and self.first_word is None:
            row = int(np.argmax(np.from_dlpack(read.is_valid().cast(pa.uint8()))))
            self.first_word = (self.rows + row, texts[row].as_py())
        elif known and not pa.types.is_string(read.type) and not pa.types.is_boolean(read.type):
            self.has_numbers = True
        if self.first_word is not None and self.has_numbers:
            raise self.place.not_numeric(*self.first_word)
        self.rows += len(texts)
        return read


def _read(texts: Any) -> Any:
    try:
        return texts.cast(pa.float64())
    except pa.ArrowInvalid:
        pass
    # the reader's own words for true, and blanks around numbers; few texts are often all there are
    encoded = pc.dictionary_encode(texts)
    written = BytesIO()
    options = pv.WriteOptions(include_header=True, quoting_style="all_valid")
    pv.write_csv(pa.table({"value": encoded.dictionary}), written, options)
    written.seek(0)
    read = pv.read_csv(written, convert_options=pv.ConvertOptions(**delimited.VALUES)).column(0).combine_chunks()
    kind = read.type
    if not (pa.types.is_boolean(kind) or pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        return texts
    return read.take(encoded.indices)
