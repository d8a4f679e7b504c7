#!/usr/bin/env python3
"""peek.py DOMID ADDRESS: the 32-bit number at a guest physical address, read through the hypervisor."""
import ctypes, sys
lib = ctypes.CDLL('libxenforeignmemory.so.1', use_errno=True)
lib.xenforeignmemory_open.restype = lib.xenforeignmemory_map.restype = ctypes.c_void_p
lib.xenforeignmemory_map.argtypes = [ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int, ctypes.c_size_t, ctypes.POINTER(ctypes.c_uint64), ctypes.POINTER(ctypes.c_int)]
domid, address = int(sys.argv[1]), int(sys.argv[2], 0)
frame, error = ctypes.c_uint64(address >> 12), ctypes.c_int(0)
page = lib.xenforeignmemory_map(lib.xenforeignmemory_open(None, 0), domid, 1, 1, ctypes.byref(frame), ctypes.byref(error))
if not page or error.value:
    sys.exit(f'domain {domid}: page {address >> 12:#x} cannot be mapped, errno {error.value or ctypes.get_errno()}')
print(ctypes.c_uint32.from_address(page + (address & 4095)).value)
