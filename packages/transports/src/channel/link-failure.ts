import { isXrError } from '@xen-replication/errors'
import { LinkError, type LinkErrorCode } from '@xen-replication/plugin-api'

interface Meaning {
  readonly code: LinkErrorCode
  readonly what: string
  readonly hint?: string
}

const LOG = 'the peer has stopped or the network has failed; look at the log of the peer'
const CERTIFICATE = 'give its authority with ca=FILE and the name in its certificate with servername=NAME'
const lost = (what: string): Meaning => ({ code: 'LINK_LOST', what, hint: LOG })
const refused = (what: string, hint: string): Meaning => ({ code: 'LINK_REFUSED', what, hint })
const unusable = (what: string, hint?: string): Meaning => ({ code: 'LINK_ADDRESS', what, ...(hint === undefined ? {} : { hint }) })
const io = (what: string, hint?: string): Meaning => ({ code: 'LINK_IO', what, ...(hint === undefined ? {} : { hint }) })

/** What the system's error codes mean of a link that stands. */
const standing: Readonly<Record<string, Meaning>> = {
  ECONNRESET: lost('the peer has broken off'),
  EPIPE: lost('the peer takes no more'),
  ECONNABORTED: lost('the connection was aborted'),
  ENOTCONN: lost('the peer is gone'),
  ERR_STREAM_DESTROYED: lost('the link is gone'),
  ERR_STREAM_PREMATURE_CLOSE: lost('the link is gone'),
  ENETDOWN: lost('the network is down'),
  ENETUNREACH: lost('the network cannot be reached any more'),
  EHOSTUNREACH: lost('the host cannot be reached any more'),
  ETIMEDOUT: { code: 'LINK_TIMEOUT', what: 'the peer has fallen silent', hint: LOG },
  ENOSPC: io('no space is left', 'free some space or write elsewhere'),
  EDQUOT: io('the quota is used up', 'free some space or write elsewhere'),
  EFBIG: io('the file would be too large for its file system'),
  EIO: io('the device fails', 'look at the log of the system'),
  EBADF: io('the descriptor is not open this way', 'open it for reading or writing, whichever is wanted, before xr is started'),
}

/** What they mean of a link that is being made. */
const beginning: Readonly<Record<string, Meaning>> = {
  ECONNREFUSED: refused('nobody listens there', 'start the receiving side first; look at port and firewall'),
  ECONNRESET: refused('the peer broke off at once', 'is this the right port?'),
  ENOTFOUND: refused('there is no host of that name', 'look at the spelling, or give an address'),
  EAI_AGAIN: refused('the name service does not answer', 'give an address instead of a name'),
  EHOSTUNREACH: refused('the host cannot be reached', 'look at the network'),
  ENETUNREACH: refused('the network cannot be reached', 'look at the network'),
  ETIMEDOUT: { code: 'LINK_TIMEOUT', what: 'nobody answers', hint: 'is the host up? a firewall may drop the packets' },
  EADDRINUSE: refused('somebody listens there already', 'stop it, or choose another address'),
  EADDRNOTAVAIL: refused('this host does not have that address', 'choose one of its own, or 0.0.0.0 for all'),
  EACCES: unusable('permission is denied'),
  EPERM: unusable('permission is denied'),
  ENOENT: unusable('it does not exist', 'look at the spelling; is the receiving side running?'),
  ENOTDIR: unusable('a part of the path is not a folder'),
  EISDIR: unusable('this is a folder', 'give the path of a file'),
  EROFS: unusable('the file system is read-only'),
  ENAMETOOLONG: unusable('the path is too long'),
  EBADF: unusable('the descriptor is not open', 'open it before xr is started'),
  ERR_TLS_CERT_ALTNAME_INVALID: refused('the certificate of the peer is for another name', CERTIFICATE),
  CERT_HAS_EXPIRED: refused('the certificate of the peer has expired', 'renew it'),
}

/** Turns what Node reports about a standing link into an error of ours. */
export function failure(error: unknown, where: string): LinkError {
  return linkError(error, where, (code) => standing[code] ?? (isTls(code) ? tlsAlert : undefined), { code: 'LINK_LOST', what: 'the link broke', hint: LOG })
}

/** The same while the link is being made. */
export function refusal(error: unknown, where: string): LinkError {
  const fallback: Meaning = { code: 'LINK_REFUSED', what: 'it cannot be reached' }
  return linkError(error, where, (code) => beginning[code] ?? standing[code] ?? (isTls(code) ? tlsRefusal : undefined), fallback)
}

const tlsAlert: Meaning = { code: 'LINK_LOST', what: 'the peer ended the encryption', hint: 'it may not accept our certificate; give cert=FILE and key=FILE that it knows' }
const tlsRefusal: Meaning = refused('the peer cannot be trusted, or does not speak TLS', CERTIFICATE)

/** OpenSSL's reasons against a certificate have codes of their own. */
function isTls(code: string): boolean {
  return /^ERR_(SSL|TLS)_|CERT|UNABLE_TO_|SELF_SIGNED/.test(code)
}

function linkError(error: unknown, where: string, lookUp: (code: string) => Meaning | undefined, fallback: Meaning): LinkError {
  if (isXrError(error)) return error as LinkError
  const systemCode = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
  const found = lookUp(systemCode)
  const { code, what, hint } = found ?? fallback
  const detail = found === undefined && error instanceof Error ? `${what}: ${error.message}` : what
  return new LinkError(code, `${where}: ${detail}`, { cause: error, hint })
}

/** For what is done with a channel after `close()`. */
export function closedHere(where: string): LinkError {
  return new LinkError('LINK_CLOSED', `${where}: closed on this side`)
}

/** For a read from where bytes only go to, and the other way round. */
export function oneWay(where: string, asked: 'read' | 'write'): LinkError {
  return new LinkError('LINK_ONE_WAY', `${where}: this cannot be ${asked === 'read' ? 'read' : 'written'}`, {
    hint: asked === 'read' ? 'the other side opens it for reading' : 'it was opened to be read',
  })
}
