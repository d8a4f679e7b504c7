#!/usr/bin/env python3
"""stops.py DOMID ADDRESS: each time the guest suspends, the 32-bit number at a guest physical address, as the hypervisor tells; until it is gone."""
import ctypes, glob, sys, time
foreign = ctypes.CDLL('libxenforeignmemory.so.1', use_errno=True)
foreign.xenforeignmemory_open.restype = foreign.xenforeignmemory_map.restype = ctypes.c_void_p
foreign.xenforeignmemory_map.argtypes = [ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int, ctypes.c_size_t, ctypes.POINTER(ctypes.c_uint64), ctypes.POINTER(ctypes.c_int)]
control = ctypes.CDLL(glob.glob('/usr/lib/x86_64-linux-gnu/libxenctrl.so.4.*')[0])
control.xc_interface_open.restype = ctypes.c_void_p
control.xc_interface_open.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint]
control.xc_domain_getinfo.argtypes = [ctypes.c_void_p, ctypes.c_uint32, ctypes.c_uint, ctypes.c_void_p]
domid, address = int(sys.argv[1]), int(sys.argv[2], 0)
frame, error = ctypes.c_uint64(address >> 12), ctypes.c_int(0)
page = foreign.xenforeignmemory_map(foreign.xenforeignmemory_open(None, 0), domid, 1, 1, ctypes.byref(frame), ctypes.byref(error))
if not page or error.value:
    sys.exit(f'domain {domid}: page {address >> 12:#x} cannot be mapped')
number = ctypes.c_uint32.from_address(page + (address & 4095))
handle, info = control.xc_interface_open(None, None, 0), (ctypes.c_uint32 * 256)()  # xc_dominfo_t: number of the domain, ssidref, flags
print('ready', flush=True)
stood = False
while control.xc_domain_getinfo(handle, domid, 1, info) == 1 and info[0] == domid and not info[2] & 1:
    stands = bool(info[2] & 4)  # dying, crashed, shutdown, paused, …
    if stands and not stood:
        print(number.value, flush=True)
    stood = stands
    time.sleep(0.0005)
