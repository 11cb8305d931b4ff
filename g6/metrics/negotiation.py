"""What a client says it accepts (RFC 9110, section 12.5)."""


def quality(header: str, name: str) -> float:
    """Return the weight, 0 to 1, that an Accept or Accept-Encoding header gives to exactly this name; 0 if unnamed."""
    for item in header.split(","):
        value, *parameters = (part.strip().lower() for part in item.split(";"))
        if value == name:
            return _weight(parameters)
    return 0.0


def _weight(parameters: list[str]) -> float:
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                return min(1.0, max(0.0, float(parameter[2:])))
            except ValueError:
                return 0.0
    return 1.0
