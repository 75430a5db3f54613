"""Files: written whole or not at all, kept between runs, held by one build at a time."""
