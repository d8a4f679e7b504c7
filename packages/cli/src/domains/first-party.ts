import { arbiters } from '@xen-replication/arbiters'
import { mockPlugin } from '@xen-replication/backend-mock'
import { xenPlugin } from '@xen-replication/backend-xen'
import { metricsPlugin, reportPlugin, spansPlugin } from '@xen-replication/observers'
import type { Plugin } from '@xen-replication/plugin-api'
import { coloPlugin } from '@xen-replication/colo'
import { remusPlugin } from '@xen-replication/remus'
import { transports } from '@xen-replication/transports'

/** Plugins that come with xr. They have no door that others lack. */
export const firstParty = (env: Readonly<Record<string, string | undefined>>): readonly Plugin[] => [mockPlugin, xenPlugin, transports({ env }), arbiters({ env }), remusPlugin, coloPlugin, reportPlugin, metricsPlugin, spansPlugin]
