"""Where accounts come from: the databases of other systems, and CSV.

Each module is one of them and makes account records (``docs/operate.rst``) of its rows;
``domain/transfer/moving.py`` takes them.
"""
