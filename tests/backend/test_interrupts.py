"""Interrupts wait for what must not be broken off."""

import signal
import threading

import pytest

from keras_indi.backend.interrupts import deferred_interrupts


@pytest.mark.backend_free
def test_the_first_interrupt_waits_and_the_second_does_not(interrupts):
    before = signal.getsignal(signal.SIGINT)
    done = []
    with pytest.raises(KeyboardInterrupt):
        with deferred_interrupts():
            signal.raise_signal(signal.SIGINT)
            done.append("first")
    with pytest.raises(KeyboardInterrupt):
        with deferred_interrupts():
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)
            done.append("second")
    with deferred_interrupts():
        done.append("third")
    assert done == ["first", "third"]
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.backend_free
def test_other_threads_are_left_alone():
    done = []

    def work():
        with deferred_interrupts():
            done.append("done")

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == ["done"]
