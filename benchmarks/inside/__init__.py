"""What has to run inside Django, in a process of its own with the environment of the stack that is measured.

`benchmarks.stack.inside(module, environment, …)` starts one of these modules; it prints JSON.
"""

import django

django.setup()
