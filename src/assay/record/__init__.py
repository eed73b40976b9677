"""What happened, kept: five records in one database, and artefacts by their digest. Nobody above writes SQL."""
