#!/usr/bin/env python3
"""Makes events.tfevents with Python's tensorboard: the bytes that tests/report/events_test.cpp expects.

    python -m venv venv && venv/bin/pip install tensorboard && venv/bin/python make_events.py

With a folder as argument it reads the event files in it instead and prints every scalar: the check in the other direction.
"""
import pathlib
import sys

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter

if len(sys.argv) > 1:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(sys.argv[1])
    events.Reload()
    for tag in events.Tags()["scalars"]:
        for event in events.Scalars(tag):
            print(tag, event.step, repr(event.value), repr(event.wall_time))
    sys.exit()

with open(pathlib.Path(__file__).parent / "events.tfevents", "wb") as file:
    writer = RecordWriter(file)
    writer.write(Event(wall_time=1700000000.25, file_version="brain.Event:2").SerializeToString())
    for tag, step, value in [("train/loss", 0, 0.693), ("train/loss", 1, 0.0), ("val/auc", 1, 0.9712), ("val/auc", 300, -1.5),
                             ("größe", 5_000_000_000, float("inf")), ("a" * 200, 2, 1e-30)]:
        summary = Summary(value=[Summary.Value(tag=tag, simple_value=value)])
        writer.write(Event(wall_time=1700000000.25 + step, step=step, summary=summary).SerializeToString())
