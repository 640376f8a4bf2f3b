"""Compares what TensorBoard reads of the run that tensorboard.node.ts wrote with what was written; also prints the golden
bytes of src/files/run-folder/tensorboard/tensorboard.test.ts, made by TensorBoard's own record writer."""
import io
import json
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.compat.proto import event_pb2, summary_pb2
from tensorboard.summary.writer.record_writer import RecordWriter

folder = sys.argv[1]
accumulator = EventAccumulator(f"{folder}/run/tensorboard", size_guidance={"scalars": 0})
accumulator.Reload()
expected = json.load(open(f"{folder}/expected.json"))
tags = accumulator.Tags()["scalars"]
assert sorted(tags) == sorted(expected), (tags, list(expected))
for tag, points in expected.items():
    read = [[event.step, event.value] for event in accumulator.Scalars(tag)]
    assert read == points, (tag, read, points)
print(f"TensorBoard reads {sum(map(len, expected.values()))} values of {len(tags)} curves as they were written")


def record(event):
    buffer = io.BytesIO()
    RecordWriter(buffer).write(event.SerializeToString())
    return buffer.getvalue().hex()


value = summary_pb2.Summary.Value(tag="loss/train", simple_value=0.1)
start = event_pb2.SessionLog(status=event_pb2.SessionLog.START)
print("version", record(event_pb2.Event(wall_time=1.5e9, file_version="brain.Event:2")))
print("scalar", record(event_pb2.Event(wall_time=1.5e9 + 0.25, step=300, summary=summary_pb2.Summary(value=[value]))))
print("start", record(event_pb2.Event(wall_time=1.5e9, step=301, session_log=start)))
