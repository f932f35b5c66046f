"""What systems put into folders by themselves, beside people's files."""

import re

_LITTER = re.compile(
    r"thumbs\.db(:.*)?|ehthumbs\w*\.db|desktop\.ini|icon\r|__macosx|@eadir|\$recycle\.bin"
    r"|system volume information|lost\+found",
    re.IGNORECASE,
)


def is_litter(name: str) -> bool:
    """Return whether systems make a file or folder of this name by themselves: it is not data."""
    return name.startswith(".") or _LITTER.fullmatch(name) is not None
