import { examine, type Examination } from './examine.ts'
import { realProbe } from './real-probe.ts'

/** Looks at this host; changes nothing. */
export async function examineHost(): Promise<Examination> {
  const probe = realProbe()
  try {
    return await examine(probe)
  } finally {
    await probe.close()
  }
}
