"""Interrupts wait for what must not be broken off."""

import signal
import threading

import pytest

from keras_indi.backend.interrupts import (
    Terminated,
    deferred_interrupts,
    interrupted_by_signals,
)


@pytest.fixture
def not_ignored():
    """What whoever runs the tests may have said (`nohup`) is not meant for them."""
    numbers = (signal.SIGTERM, signal.SIGHUP)
    handlers = [signal.signal(number, signal.SIG_DFL) for number in numbers]
    yield
    for number, handler in zip(numbers, handlers):
        signal.signal(number, handler)


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


@pytest.mark.backend_free
@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="Windows")
def test_other_signals_end_work_as_an_interrupt_does(interrupts, not_ignored):
    for number in (signal.SIGTERM, signal.SIGHUP):
        done = []
        with pytest.raises(Terminated) as found:
            with interrupted_by_signals():
                with deferred_interrupts():
                    signal.raise_signal(number)
                    done.append("whole")
                done.append("more")
        assert done == ["whole"]
        assert isinstance(found.value, KeyboardInterrupt)
        assert found.value.signal is number
        assert signal.getsignal(number) is signal.SIG_DFL


@pytest.mark.backend_free
@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="Windows")
def test_a_signal_that_is_ignored_stays_so():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    try:
        with interrupted_by_signals():
            signal.raise_signal(signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
