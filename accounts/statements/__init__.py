"""The SQL of the ledger's hot verbs, one module a database. accounts.ledger picks, and is the only caller but one:
generations.statements.postgresql holds within the statement that accepts, by HELD, and settles within the one that
delivers, by SETTLED.

`postgresql_budgets` has the same within budgets, for that caller alone; accounts.ledger does it by accounts.budgets.

Both have `hold(Hold) -> bool`, which looks for no budgets, `settle(Settle) -> End` and `release(reference) -> End`.
"""
