"""The benchmark: Alur beside a Flask "hello" and a bare floor, in one run on one machine."""
