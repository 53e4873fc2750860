"""What glibc, where it is the C library, does with memory that is no longer used."""

import contextlib
import ctypes

M_MMAP_THRESHOLD, M_ARENA_MAX = -3, -8


def return_large_blocks() -> None:
    """Else each thread that has checked a passphrase keeps the 19 MiB for the next one."""
    with contextlib.suppress(AttributeError):
        ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, 128 * 1024)
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 2)


def return_unused() -> None:
    """Give the system back what lies free between blocks in use; by itself it stays for ever."""
    with contextlib.suppress(AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
