"""Noise drawn from a hash of (seed, sample id, purpose): the same for a picture whatever its batch, order or device."""

import zlib

import numpy as np
from numpy.typing import NDArray

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_ONE_IN_24_BITS = np.float32(2.0**-24)


def _mix(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of splitmix64, in place. Source: Steele, Lea and Flood (2014), OOPSLA."""
    values ^= values >> np.uint64(30)
    values *= _FIRST
    values ^= values >> np.uint64(27)
    values *= _SECOND
    values ^= values >> np.uint64(31)
    return values


def _absorb(keys: NDArray[np.uint64], word: int) -> NDArray[np.uint64]:
    keys ^= np.uint64(word % 2**64)
    keys += _GOLDEN
    return _mix(keys)


def sample_keys(seed: int, ids: NDArray[np.int64], *purpose: str | int) -> NDArray[np.uint64]:
    """One key a sample, shape (n,); another purpose (attack, restart, step) gives independent keys."""
    keys = _mix(ids.astype(np.int64).view(np.uint64) + _GOLDEN)
    for word in (seed, *purpose):
        keys = _absorb(keys, zlib.crc32(word.encode()) if isinstance(word, str) else word)
    return keys


def uniform(keys: NDArray[np.uint64], count: int) -> NDArray[np.float32]:
    """Uniform on [0, 1) in steps of 2^-24, shape (n, count)."""
    steps = np.arange(1, count + 1, dtype=np.uint64) * _GOLDEN
    bits = _mix(keys[:, None] + steps)
    bits >>= np.uint64(40)
    values = bits.astype(np.float32)
    values *= _ONE_IN_24_BITS
    return values


def signs(keys: NDArray[np.uint64], count: int) -> NDArray[np.float32]:
    """Fair signs, -1 or 1, shape (n, count)."""
    return np.where(uniform(keys, count) < 0.5, np.float32(-1), np.float32(1))


def normal(keys: NDArray[np.uint64], count: int) -> NDArray[np.float32]:
    """Standard normal by Box and Muller, shape (n, count)."""
    half = (count + 1) // 2
    draws = uniform(keys, 2 * half)
    radius = np.sqrt(-2 * np.log1p(-draws[:, :half]))
    angle = np.float32(2 * np.pi) * draws[:, half:]
    values = np.concatenate([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    return values[:, :count].astype(np.float32)
