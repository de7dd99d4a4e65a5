"""Static files under names that hold their content's hash, those that our modules import included."""

from whitenoise.storage import CompressedManifestStaticFilesStorage

_OURS = "js/*.js"
_IMPORT = r"""(?m)^(?P<matched>import (?P<names>[^;"]+) from "(?P<url>\./[^"]+)";)$"""


class StaticFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Django's own switch for imports would read the libraries' files as well, and stumble over their comments."""

    patterns = (
        *CompressedManifestStaticFilesStorage.patterns,
        (_OURS, ((_IMPORT, 'import %(names)s from "%(url)s";'),)),
    )
