"""What the promises are worth while things break: workers, broker, database and upstream are killed at random.

`python -m tests.chaos --seeds 10 --jobs 80` (`make chaos`) prints a table and exits 1 where a promise was broken.

For each seed it makes an empty database, a broker and a stand-in of the hosted API, starts the workers and the clock,
submits jobs, and strikes (inside/blows.py) while they run. Then the faults end, everything must come to rest, and
inside/findings.py compares what the customer was told, what the books say, and what the upstream charged.

`--naive` puts a worker in place of ours that does without claims (inside/naive.py): the harness has to find it out.
"""
