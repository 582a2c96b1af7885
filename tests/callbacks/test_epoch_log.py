"""A log holds each epoch once, whatever ended the fits that wrote it."""

import math

import pytest

from keras_indi.callbacks import EpochLog
from keras_indi.callbacks.epoch_log import read_log

pytestmark = pytest.mark.backend_free


def write(path, epochs, **logs):
    log = EpochLog(path)
    log.on_train_begin()
    for epoch in epochs:
        log.on_epoch_end(epoch, {"loss": 1.0 + epoch, **logs})


def test_each_epoch_once_over_resumptions(tmp_path):
    path = tmp_path / "deep" / "training.csv"
    write(path, [0, 1, 2])
    text = path.read_text()
    assert text == "epoch,loss\n0,1.0\n1,2.0\n2,3.0\n"
    write(path, [2, 3])
    assert path.read_text() == text + "3,4.0\n"
    write(path, [1])  # went on from an earlier backup
    assert path.read_text() == "epoch,loss\n0,1.0\n1,2.0\n"
    assert list(path.parent.iterdir()) == [path]


def test_columns_that_come_later(tmp_path):
    path = tmp_path / "training.csv"
    write(path, [0])
    write(path, [1], psnr=30.5)
    assert path.read_text() == "epoch,loss,psnr\n0,1.0,nan\n1,2.0,30.5\n"
    assert math.isnan(float(read_log(path)[0]["psnr"]))


@pytest.mark.parametrize(
    "torn", ["2,3", "2,3.0", "2", "", "2,3.0,4\n", "x,3.0\n", "\n"]
)
def test_a_torn_last_line_is_dropped(tmp_path, torn):
    path = tmp_path / "training.csv"
    path.write_text("epoch,loss\n0,1.0\n1,2.0\n1,2.5\n" + torn)
    assert read_log(path) == {0: {"loss": "1.0"}, 1: {"loss": "2.5"}}
    write(path, [2])
    assert path.read_text() == "epoch,loss\n0,1.0\n1,2.5\n2,3.0\n"


@pytest.mark.parametrize("content", ["", "epoch", "epo", "epoch,lo"])
def test_a_torn_header_begins_anew(tmp_path, content):
    path = tmp_path / "training.csv"
    path.write_text(content)
    write(path, [0])
    assert path.read_text() == "epoch,loss\n0,1.0\n"


@pytest.mark.parametrize("content", ["mine", "name,psnr\na,30\n", "\0\0"])
def test_another_file_is_refused(tmp_path, content):
    path = tmp_path / "training.csv"
    path.write_text(content)
    with pytest.raises(
        ValueError, match="log of epochs.*Received: path=.*training.csv"
    ):
        EpochLog(path).on_train_begin()
    assert path.read_text() == content


def test_a_log_of_keras_is_gone_on_with(tmp_path):
    path = tmp_path / "training.csv"
    path.write_bytes(b"epoch,loss,val_loss\r\n0,1.0,2.0\r\n")
    write(path, [1], val_loss=3.0)
    assert path.read_text() == "epoch,loss,val_loss\n0,1.0,2.0\n1,2.0,3.0\n"
