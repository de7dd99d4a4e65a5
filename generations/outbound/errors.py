"""What can go wrong on the way out; the messages are for whoever named the URL and give away no address."""


class OutboundError(Exception):
    """A URL could not be fetched."""


class Refused(OutboundError):
    """The URL itself may not be fetched: its scheme, port, credentials, or where its host leads."""


class Failed(OutboundError):
    """The server did not deliver: unreachable, too slow, too much, cut short, or an answer other than 200."""


class Unreachable(Failed):
    """No connection came about: certainly nothing was sent."""
