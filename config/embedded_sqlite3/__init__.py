"""Django's SQLite for several processes with many threads: connections that are used again, writers that queue."""
