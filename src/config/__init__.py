"""INI templates, and what reads, checks and writes INI files. Knows common."""
