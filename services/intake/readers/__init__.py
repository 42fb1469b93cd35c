"""One reader a file format; each gives back what :mod:`services.intake.reading` declares."""
