/** Kubernetes' metav1.Time: RFC 3339 in UTC with whole seconds. */
export function timestamp(epochMs: number): string {
  return new Date(epochMs).toISOString().replace(/\.\d{3}Z$/, 'Z');
}
