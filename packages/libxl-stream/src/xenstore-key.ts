/** Longest path below another that xenstore takes, in bytes. Source: public io/xs_wire.h, XENSTORE_REL_PATH_MAX. */
const PATH_MAX = 2048

/**
 * Whether xenstore takes this as a path below the device model's own node. Nothing else may be written: it would be refused,
 * and Xen does not look, or end up outside that node.
 */
export const isXenstoreKey = (key: string): boolean => key.length <= PATH_MAX && /^[\w@-]+(\/[\w@-]+)*$/.test(key)
