"""How bench/run talks to a measured program: after "ready", each line "go" on its standard input is answered with one
measurement, a number on a line of its own; the end of the input ends the program. So several programs stay warm and
take turns."""

import sys


def serve(measure):
    """Answers every "go" with measure(), images per second."""
    print("ready", flush=True)
    for line in sys.stdin:
        if line.strip() == "go":
            print(f"{measure():.6g}", flush=True)
