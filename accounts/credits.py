"""Credits as people write them, and as the books count them: in millionths."""

from decimal import Decimal, InvalidOperation

MICRO = 1_000_000
"""millionths in a credit; one credit is one US dollar"""

LIMIT = 2**53
"""amounts stay below this many millionths (nine billion credits): exact as a JSON number"""


def parse(text: str) -> int:
    """Return the millionths of an amount such as "25" or "-0.0036"; raise ValueError on anything else."""
    try:
        amount = Decimal(text.strip()) * MICRO
    except InvalidOperation:
        raise ValueError(f"credits: {text!r}; a decimal number is allowed, such as 25 or 0.01") from None
    if not amount.is_finite() or amount != amount.to_integral_value() or abs(amount) >= LIMIT:
        raise ValueError(f"credits: {text!r}; at most six decimals and nine billion are allowed")
    return int(amount)


def format_credits(micro: int) -> str:
    """Return the credits exactly, with two decimals or as many more as it takes: "25.00", "0.0036"."""
    whole, fraction = divmod(abs(micro), MICRO)
    decimals = f"{fraction:06d}".rstrip("0").ljust(2, "0")
    return f"{'-' if micro < 0 else ''}{whole}.{decimals}"
