"""Names of things: short, safe in an address, and in the order in which they were made."""

import secrets
import time


def new_id(prefix: str) -> str:
    """'aud_0193…': the prefix, 12 hex digits of milliseconds since 1970, and 20 random ones."""
    return f"{prefix}_{time.time_ns() // 1_000_000:012x}{secrets.token_hex(10)}"
