"""Random access to TFRecord files, against TensorFlow's reading of them."""

import os
import pickle

import numpy as np
import pytest
import tensorflow_datasets as tfds

from keras_indi.data.tfds.tfrecord import TFRecordExamples, record_positions

tf = pytest.importorskip("tensorflow")
# Nothing here depends on Keras's backend.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:.*officially:UserWarning"),
]


@pytest.mark.parametrize("lengths", [(), (0,), (1, 300, 0, 70_000, 5)])
def test_records_are_tensorflow_s(tmp_path, lengths):
    path = tmp_path / "records"
    rng = np.random.default_rng(0)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for length in lengths:
            writer.write(rng.bytes(length))
    content = path.read_bytes()
    records = [content[start : start + n] for start, n in record_positions(path)]
    assert records == [r.numpy() for r in tf.data.TFRecordDataset(str(path))]
    assert [len(record) for record in records] == list(lengths)


@pytest.mark.parametrize("lost", [1, 4, 10, 103])
def test_a_truncated_file_is_named(tmp_path, lost):
    path = tmp_path / "cut.tfrecord"
    with tf.io.TFRecordWriter(str(path)) as writer:
        writer.write(b"x" * 50)
        writer.write(b"x" * 90)
    os.truncate(path, path.stat().st_size - lost)
    with pytest.raises(OSError, match="truncated.*Received: .*cut.tfrecord"):
        record_positions(path)


@pytest.mark.parametrize("split", ["train", "train[1:]", "train[:1]", "train+test"])
def test_examples_are_those_of_tf_data(prepared, split):
    builder = tfds.builder("gopro/blur", data_dir=prepared("gopro/blur", "tfrecord"))
    assert len(builder.info.splits["train"].filenames) == 2
    examples = TFRecordExamples(
        builder.info.splits[split].file_instructions, builder.info.features
    )
    examples = pickle.loads(pickle.dumps(examples))  # as for a worker process
    expected = list(builder.as_dataset(split).as_numpy_iterator())
    assert len(examples) == len(expected) > 0
    by_name = {example["name"]: example for example in expected}
    assert sorted(examples[i]["name"] for i in range(len(examples))) == sorted(by_name)
    for i in range(len(examples)):
        example = examples[i]
        other = by_name[example["name"]]
        np.testing.assert_array_equal(example["degraded"], other["degraded"])
        np.testing.assert_array_equal(example["clean"], other["clean"])
