"""What is kept: schema, transactions, repositories, sealing, audit, migrations; the only SQL."""
