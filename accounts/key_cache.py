"""What recent API keys authenticated to, kept for a moment in this process.

The moment is what a revocation, a demotion or an expiry may take to reach a process, so it is short; the
promise is five seconds. Only keys that were right are kept: guesses cannot fill it.
"""

from accounts.access import Actor
from config.recent import Recent

SECONDS = 2.0
ENTRIES = 4096

recent: Recent[str, Actor] = Recent(SECONDS, ENTRIES)
"""the actor by the key's digest"""

get = recent.get
put = recent.put
forget = recent.forget
clear = recent.clear
