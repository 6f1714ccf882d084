"""The journal and its tables, migrations and leases.

Money is stored exactly; a float never reaches a database.
"""
