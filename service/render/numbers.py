"""How numbers look: three decimals in tables, no leading zero in sentences, never per cent, never NaN."""

import math

UNDEFINED = "undefined"
MINUS = "−"


def is_number(value: float | None) -> bool:
    """False for what has no value: None and NaN."""
    return value is not None and not math.isnan(value)


def fixed(value: float | None, decimals: int = 3) -> str:
    """0.448, for tables."""
    if value is None or math.isnan(value):
        return UNDEFINED
    if math.isinf(value):
        return "without limit"
    text = f"{abs(value):,.{decimals}f}"
    return MINUS + text if value < 0 and float(text.replace(",", "")) else text


def short(value: float | None, decimals: int = 3) -> str:
    """.448, for sentences."""
    text = fixed(value, decimals)
    return text.replace("0.", ".", 1) if text.lstrip(MINUS).startswith("0.") else text


def brief(value: float | None) -> str:
    """.1 as .10, .214 as .214: two decimals where two say it, three where a third is needed."""
    if value is None or not math.isfinite(value):
        return fixed(value)
    return short(value, 2 if math.isclose(value, round(value, 2), abs_tol=5e-4) else 3)


def span(low: float | None, high: float | None, *, text: str = "table") -> str:
    """0.426 to 0.472; an empty text where there is no interval."""
    write = short if text == "sentence" else fixed
    if not is_number(low) and not is_number(high):
        return ""
    if not is_number(high) or high == math.inf:
        return f"{write(low)} and above"
    if not is_number(low) or low == -math.inf:
        return f"up to {write(high)}"
    return f"{write(low)} to {write(high)}"


def rows(value: float | None) -> str:
    """7,214; a weighted count keeps one decimal."""
    if value is None or math.isnan(value):
        return UNDEFINED
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.1f}"


def cell(value: float | str | bool | None) -> str:
    """Whatever a panel's small table holds."""
    if value is None or isinstance(value, str | bool):
        return "" if value is None else str(value)
    return rows(value) if isinstance(value, int) else fixed(value)


def p_value(value: float | None) -> str:
    """.031, or < .001."""
    if value is None or math.isnan(value):
        return ""
    return "< .001" if value < 0.001 else short(value)


def level(value: float) -> str:
    """.975 as 97.5 %: the one place where per cent is how people say it."""
    return f"{value * 100:.4g} %"


def out_of(first: float, second: float) -> tuple[str, str, str]:
    """Two rates as people count: ("45", "23", "100"), in thousands where hundreds would not tell them apart."""
    for size in (100, 1_000, 10_000):
        one, other = round(first * size), round(second * size)
        if one != other or first == second:
            return f"{one:,}", f"{other:,}", f"{size:,}"
    return f"{one:,}", f"{other:,}", f"{size:,}"
