def bites(conn, text, literal_column, name):
    # ruleid: sql-built-from-text
    text(f"select * from persons where name = '{name}'")
    # ruleid: sql-built-from-text
    text("select * from persons where name = '%s'" % name)
    # ruleid: sql-built-from-text
    text("select " + name)
    # ruleid: sql-built-from-text
    conn.exec_driver_sql(f"delete from {name}")
    # ruleid: sql-built-from-text
    conn.execute("select {}".format(name))
    # ruleid: sql-built-from-text
    literal_column(f"'{name}'")


def does_not_bite(conn, text, select, persons, name):
    # ok: sql-built-from-text
    conn.execute(text("select 1 where :name = 'x'"), {"name": name})
    # ok: sql-built-from-text
    conn.exec_driver_sql(f"pragma {name}")
    # ok: sql-built-from-text
    conn.execute(select(persons).where(persons.c.id == name))
