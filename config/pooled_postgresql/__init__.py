"""Django's PostgreSQL backend, for settings.DATABASES: pooled connections that died in the pool are not given out."""
