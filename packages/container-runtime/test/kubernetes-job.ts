/** What a Job asks of its pods. */
export interface PodSettings {
  /** Such as '128Mi'. */
  readonly memory: string
  /** How often an index is run again. Default: 0. */
  readonly backoffLimitPerIndex?: number
  /** From SIGTERM to SIGKILL. Default: 10. */
  readonly graceS?: number
}

export interface JobPod {
  readonly settings: PodSettings
  readonly container: {
    readonly image: string
    /** Behind the image's own entry point. */
    readonly args: readonly string[]
    readonly env: readonly object[]
  }
  readonly mounted?: { readonly configMap: string; readonly folder: string }
}

export interface IndexedJob {
  readonly spec: { readonly completionMode: string; readonly completions: number }
  readonly status: {
    readonly conditions?: readonly {
      readonly type: string
      readonly status: string
      readonly reason?: string
    }[]
    readonly succeeded?: number
    readonly failed?: number
    /** As '0-2,4'. */
    readonly completedIndexes?: string
    readonly failedIndexes?: string
  }
}

export interface KubernetesPod {
  readonly metadata: {
    readonly name: string
    readonly creationTimestamp: string
    readonly annotations: Readonly<Record<string, string>>
  }
  readonly status: {
    readonly phase: 'Pending' | 'Running' | 'Succeeded' | 'Failed'
    readonly containerStatuses?: readonly {
      readonly state: {
        readonly waiting?: { readonly reason: string; readonly message?: string }
        readonly terminated?: { readonly reason: string; readonly exitCode: number }
      }
    }[]
  }
}

/** An Indexed Job of so many pods, all at once. */
export function jobOf(name: string, completions: number, { settings, container, mounted }: JobPod): object {
  const volumes = mounted === undefined ? [] : [{ name: 'mounted', configMap: { name: mounted.configMap } }]
  const volumeMounts =
    mounted === undefined ? [] : [{ name: 'mounted', mountPath: mounted.folder, readOnly: true }]
  return {
    metadata: { name },
    spec: {
      completionMode: 'Indexed',
      completions,
      parallelism: completions,
      backoffLimitPerIndex: settings.backoffLimitPerIndex ?? 0,
      // a pod that is removed counts by how it ends, and no other is of its index until then
      podReplacementPolicy: 'Failed',
      template: {
        spec: {
          restartPolicy: 'Never',
          // where the loopback of the machine is, with the storage
          hostNetwork: true,
          terminationGracePeriodSeconds: settings.graceS ?? 10,
          securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
          containers: [
            {
              ...container,
              name: 'worker',
              resources: {
                requests: { cpu: '50m', memory: settings.memory },
                limits: { cpu: '1', memory: settings.memory },
              },
              securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
              volumeMounts,
            },
          ],
          volumes,
        },
      },
    },
  }
}
