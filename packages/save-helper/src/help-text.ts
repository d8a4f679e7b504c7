/** What `--help` prints. */
export const helpText = `xr-save-helper: saves and restores Xen guests for xl, in place of libxl-save-helper.

Usage: LIBXL_SAVE_HELPER=$(which xr-save-helper) xl save|restore|migrate|migrate-receive|remus ...

xl starts it as libxl-save-helper:
  xr-save-helper [OPTION] --save-domain STREAM_FD BACK_FD DOMID FLAGS CBFLAGS STREAM_TYPE
  xr-save-helper [OPTION] --restore-domain STREAM_FD BACK_FD DOMID STORE_PORT STORE_DOMID CONSOLE_PORT CONSOLE_DOMID CBFLAGS STREAM_TYPE

Options, on the command line or in XR_SAVE_HELPER_OPTIONS:
  --compact  leave holes of the guest's address space out of the stream; every Xen restores it as well
  --help, --version
`
