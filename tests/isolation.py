"""Who gets in where: a row for each method of each route. tests/test_isolation.py asks for every cell.

+ is let in: an answer, a redirect to another page than the sign-in, or an error that is about what was sent. `sign-in`
is a redirect there; a number is that code. Another team finds 404, never a 403 that would tell that something exists;
where it is let in, it sees what is its own. Who is in no team of the studio's, or anonymous, finds nothing.

To add a route, add its row. What stands in its address is made in test_isolation.py, by the names in the pattern.
"""

from collections.abc import Iterator
from dataclasses import dataclass

TABLE = """
route                         method owner admin member viewer outsider loner anonymous key     reader  foreign
healthz                       GET    +     +     +      +      +        +     +         +       +       +
readyz                        GET    +     +     +      +      +        +     +         +       +       +
portal-account                GET    +     +     +      +      +        403   401       +       +       +
portal-teams                  GET    +     +     +      +      +        403   401       +       +       +
portal-members                GET    +     +     +      +      +        403   401       +       +       +
portal-models                 GET    +     +     +      +      +        403   401       +       +       +
portal-model                  GET    +     +     +      +      +        403   401       +       +       +
portal-generations            GET    +     +     +      +      +        403   401       +       +       +
portal-generation             GET    +     +     +      +      404      403   401       +       +       404
portal-generation             PATCH  +     +     +      403    404      403   401       +       403     404
portal-generation             DELETE +     +     +      403    404      403   401       +       403     404
portal-generation-cancel      POST   +     +     +      403    404      403   401       +       403     404
portal-generation-restore     POST   +     +     +      403    404      403   401       +       403     404
portal-collections            GET    +     +     +      +      +        403   401       +       +       +
portal-collections            POST   +     +     +      403    +        403   401       +       403     +
portal-collection             GET    +     +     +      +      404      403   401       +       +       404
portal-collection             PATCH  +     +     +      403    404      403   401       +       403     404
portal-collection             DELETE +     +     +      403    404      403   401       +       403     404
portal-collection-items       GET    +     +     +      +      404      403   401       +       +       404
portal-collection-items       POST   +     +     +      403    404      403   401       +       403     404
portal-collection-remove      POST   +     +     +      403    404      403   401       +       403     404
portal-usage                  GET    +     +     +      403    +        403   401       +       +       +
portal-ledger                 GET    +     +     +      403    +        403   401       +       +       +
portal-keys                   GET    +     +     +      403    +        403   401       +       403     +
portal-keys                   POST   +     +     +      403    +        403   401       +       403     +
portal-key                    GET    +     +     +      403    404      403   401       +       403     404
portal-key                    PATCH  +     +     +      403    404      403   401       403     403     404
portal-key                    DELETE +     +     +      403    404      403   401       +       403     404
predictions                   GET    401   401   401    401    401      401   401       +       +       +
predictions                   POST   401   401   401    401    401      401   401       +       403     +
prediction                    GET    401   401   401    401    401      401   401       +       +       404
prediction-cancel             POST   401   401   401    401    401      401   401       +       403     404
api-models                    GET    401   401   401    401    401      401   401       +       +       +
api-model-by-slug             GET    401   401   401    401    401      401   401       +       +       +
api-model                     GET    401   401   401    401    401      401   401       +       +       +
model-predictions             POST   401   401   401    401    401      401   401       +       403     +
api-versions                  GET    401   401   401    401    401      401   401       +       +       +
api-version                   GET    401   401   401    401    401      401   401       +       +       +
api-account                   GET    401   401   401    401    401      401   401       +       +       +
api-files                     GET    401   401   401    401    401      401   401       +       +       +
api-files                     POST   401   401   401    401    401      401   401       +       403     +
api-file                      GET    401   401   401    401    401      401   401       +       +       404
api-file                      DELETE 401   401   401    401    401      401   401       +       403     404
jobs-unknown                  GET    404   404   404    404    404      404   404       404     404     404
segmind-credits               GET    401   401   401    401    401      401   401       +       +       +
segmind-poll                  GET    401   401   401    401    401      401   401       +       +       404
segmind-status                GET    401   401   401    401    401      401   401       +       +       404
segmind-result                GET    401   401   401    401    401      401   401       +       +       404
segmind-request-history       GET    401   401   401    401    401      401   401       +       +       +
segmind-request-history-entry GET    401   401   401    401    401      401   401       +       +       404
segmind-generations           GET    401   401   401    401    401      401   401       +       +       +
segmind-recent                GET    401   401   401    401    401      401   401       +       +       +
segmind-models                GET    401   401   401    401    401      401   401       +       +       +
segmind-account               GET    401   401   401    401    401      401   401       +       +       +
segmind-upload                POST   401   401   401    401    401      401   401       +       403     +
segmind-run                   POST   401   401   401    401    401      401   401       +       403     +
segmind-queue                 POST   401   401   401    401    401      401   401       +       403     +
segmind-unknown               GET    404   404   404    404    404      404   404       404     404     404
file                          GET    401   401   401    401    401      401   401       +       +       404
schema                        GET    +     +     +      +      +        +     +         +       +       +
output                        GET    404   404   404    404    404      404   404       404     404     404
portal-unknown                GET    404   404   404    404    404      404   404       404     404     404
keys                          GET    +     +     +      +      +        403   sign-in   sign-in sign-in sign-in
keys                          POST   +     +     +      403    +        403   sign-in   sign-in sign-in sign-in
key-limits                    POST   +     +     +      403    404      403   sign-in   sign-in sign-in sign-in
key-revoke                    POST   +     +     +      404    404      403   sign-in   sign-in sign-in sign-in
team-switch                   POST   404   404   404    404    404      404   sign-in   sign-in sign-in sign-in
models                        GET    +     +     +      +      +        403   sign-in   sign-in sign-in sign-in
playground                    GET    +     +     +      +      +        403   sign-in   sign-in sign-in sign-in
playground                    POST   +     +     +      403    +        403   sign-in   sign-in sign-in sign-in
quote                         GET    +     +     +      +      +        403   sign-in   sign-in sign-in sign-in
snippet                       POST   +     +     +      +      +        403   sign-in   sign-in sign-in sign-in
mask-subject                  POST   +     +     +      403    +        403   sign-in   sign-in sign-in sign-in
run                           GET    +     +     +      +      404      403   sign-in   sign-in sign-in sign-in
run-progress                  GET    +     +     +      +      404      403   sign-in   sign-in sign-in sign-in
run-cancel                    POST   +     +     +      403    404      403   sign-in   sign-in sign-in sign-in
run-fidelity                  GET    +     +     +      +      404      403   sign-in   sign-in sign-in sign-in
run-download                  GET    +     +     +      +      404      403   sign-in   sign-in sign-in sign-in
gallery                       GET    +     +     +      +      +        403   sign-in   sign-in sign-in sign-in
gallery-favourite             POST   +     +     +      403    +        403   sign-in   sign-in sign-in sign-in
gallery-remove                POST   +     +     +      403    +        403   sign-in   sign-in sign-in sign-in
gallery-restore               POST   +     +     +      403    +        403   sign-in   sign-in sign-in sign-in
gallery-download              POST   +     +     +      +      +        403   sign-in   sign-in sign-in sign-in
compare                       GET    +     +     +      +      +        403   sign-in   sign-in sign-in sign-in
collections                   GET    +     +     +      +      +        403   sign-in   sign-in sign-in sign-in
collections                   POST   +     +     +      403    +        403   sign-in   sign-in sign-in sign-in
collection-change             POST   +     +     +      403    404      403   sign-in   sign-in sign-in sign-in
collection-delete             POST   +     +     +      403    404      403   sign-in   sign-in sign-in sign-in
collection-add                POST   +     +     +      403    404      403   sign-in   sign-in sign-in sign-in
collection-remove             POST   +     +     +      403    404      403   sign-in   sign-in sign-in sign-in
image                         GET    +     +     +      +      404      403   sign-in   sign-in sign-in sign-in
output-picture                GET    +     +     +      +      404      403   sign-in   sign-in sign-in sign-in
asset-picture                 GET    +     +     +      +      404      403   sign-in   sign-in sign-in sign-in
engines                       GET    404   404   404    404    404      404   sign-in   sign-in sign-in sign-in
engine-drain                  POST   404   404   404    404    404      404   sign-in   sign-in sign-in sign-in
engine-resume                 POST   404   404   404    404    404      404   sign-in   sign-in sign-in sign-in
engine-balance                POST   404   404   404    404    404      404   sign-in   sign-in sign-in sign-in
try-demo                      POST   +     +     +      403    +        403   sign-in   sign-in sign-in sign-in
docs                          GET    +     +     +      +      +        +     +         +       +       +
docs-slash                    GET    +     +     +      +      +        +     +         +       +       +
docs-model                    GET    +     +     +      +      +        +     +         +       +       +
docs-api                      GET    +     +     +      +      +        +     +         +       +       +
docs-errors                   GET    +     +     +      +      +        +     +         +       +       +
docs-limits                   GET    +     +     +      +      +        +     +         +       +       +
docs-webhooks                 GET    +     +     +      +      +        +     +         +       +       +
docs-migrate                  GET    +     +     +      +      +        +     +         +       +       +
api-docs                      GET    +     +     +      +      +        +     +         +       +       +
portal-webhooks               GET    +     +     +      +      +        403   401       +       +       +
portal-webhooks               POST   +     +     403    403    +        403   401       403     403     +
portal-webhook-secret         GET    +     +     +      403    +        403   401       +       403     +
portal-webhook-rotate         POST   +     +     403    403    +        403   401       403     403     +
portal-deliveries             GET    +     +     +      +      +        403   401       +       +       +
portal-delivery               GET    +     +     +      +      404      403   401       +       +       404
portal-delivery-replay        POST   +     +     403    403    404      403   401       403     403     404
portal-webhook                GET    +     +     +      +      404      403   401       +       +       404
portal-webhook                PATCH  +     +     403    403    404      403   401       403     403     404
portal-webhook                DELETE +     +     403    403    404      403   401       403     403     404
portal-webhook-test           POST   +     +     403    403    404      403   401       403     403     404
webhook-default-secret        GET    401   401   401    401    401      401   401       +       403     +
openai-edits                  POST   401   401   401    401    401      401   401       +       403     +
openai-unknown                GET    404   404   404    404    404      404   404       404     404     404
file-unknown                  GET    404   404   404    404    404      404   404       404     404     404
webhooks                      GET    +     +     +      +      +        403   sign-in   sign-in sign-in sign-in
webhooks                      POST   +     +     403    403    +        403   sign-in   sign-in sign-in sign-in
webhook-secret                POST   +     +     +      403    +        403   sign-in   sign-in sign-in sign-in
webhook-rotate                POST   +     +     403    403    +        403   sign-in   sign-in sign-in sign-in
webhook-delivery              GET    +     +     +      +      404      403   sign-in   sign-in sign-in sign-in
webhook-replay                POST   +     +     403    403    404      403   sign-in   sign-in sign-in sign-in
webhook-change                POST   +     +     403    403    404      403   sign-in   sign-in sign-in sign-in
webhook-delete                POST   +     +     403    403    404      403   sign-in   sign-in sign-in sign-in
webhook-test                  POST   +     +     403    403    404      403   sign-in   sign-in sign-in sign-in
"""

NOT_OURS = "account_"
"""Names of allauth's pages begin so: they are about who is signed in, and know no team."""

ACTORS = ("owner", "admin", "member", "viewer", "outsider", "loner", "anonymous", "key", "reader", "foreign")
"""outsider: the owner of another team. loner: in none. key: the member's, with every scope. reader: the member's, to
read alone. foreign: the outsider's, with every scope."""


@dataclass(frozen=True, slots=True)
class Row:
    """What each actor gets at a route's method."""

    route: str
    method: str
    cells: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.route}-{self.method}"


def rows() -> Iterator[Row]:
    """Yield the rows of the table, whose head names the actors in order."""
    head, *lines = TABLE.strip().splitlines()
    assert head.split() == ["route", "method", *ACTORS]
    for line in lines:
        route, method, *cells = line.split()
        assert len(cells) == len(ACTORS), line
        yield Row(route, method, tuple(cells))
